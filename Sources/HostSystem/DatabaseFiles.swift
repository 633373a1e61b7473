import CLinux
import Glibc

/// The files of a database that is in use. Somebody may remove them or put others in their place; whoever has them open
/// writes on, and what is written is found by nobody and gone at the end of the process.
package final class DatabaseFiles {
    private let descriptors: [Int32]

    /// - Parameter path: A database with a log, both of which are there.
    package init(_ path: String) throws(SystemError) {
        var descriptors: [Int32] = []
        for name in [path, path + "-wal"] {
            // It only stands for the file: closing any other descriptor of it would end SQLite's locks.
            let descriptor = open(name, clinux_path_only | O_CLOEXEC)
            guard descriptor >= 0 else {
                let error = SystemError("opening \(name)")
                for descriptor in descriptors { close(descriptor) }
                throw error
            }
            descriptors.append(descriptor)
        }
        self.descriptors = descriptors
    }

    deinit { for descriptor in descriptors { close(descriptor) } }

    /// Whether one of them has no name any more, in this directory or wherever that was moved to.
    package var areGone: Bool {
        descriptors.contains { descriptor in
            var status = stat()
            return fstat(descriptor, &status) == 0 && status.st_nlink == 0
        }
    }
}
