import Glibc

/// A file that says what the worker may do, and that nobody but the worker's user and root can change.
enum TrustedFile {
    /// Which state of a file was read.
    struct Version: Equatable {
        private let device, inode: UInt
        private let size, modifiedSeconds, modifiedNanoseconds, changedSeconds, changedNanoseconds: Int

        init(_ status: stat) {
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
            size = Int(status.st_size)
            modifiedSeconds = status.st_mtim.tv_sec
            modifiedNanoseconds = status.st_mtim.tv_nsec
            changedSeconds = status.st_ctim.tv_sec
            changedNanoseconds = status.st_ctim.tv_nsec
        }

        /// The state in which a file is now; nil where it cannot be looked at.
        init?(of path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            self.init(status)
        }
    }

    /// Why a file is not read.
    struct Problem: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// Reads a file that nobody else can change, or put another in the place of.
    static func read(_ path: String, bytesMax: Int) throws(Problem) -> (content: [UInt8], version: Version) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let error = SystemError("opening \(path)")
            throw Problem(error.number == ENOENT ? "there is no file \(path)" : "\(error)")
        }
        defer { close(descriptor) }
        let status = try check(descriptor, path)
        let content: [UInt8]
        do throws(SystemError) {
            content = try Files.read(descriptor, path, bytesMax: bytesMax + 1)
        } catch {
            throw Problem("\(error)")
        }
        guard content.count <= bytesMax else { throw Problem("\(path) has more than \(bytesMax) bytes") }
        return (content, Version(status))
    }

    /// Throws where others than this user and root can change an open file, or put another in the place of it.
    private static func check(_ descriptor: Int32, _ path: String) throws(Problem) -> stat {
        // Of the open file, so that it is what is read that is looked at.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Problem("\(SystemError("looking at \(path)"))") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Problem("\(path) is not a file") }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw Problem("\(path) belongs to another user, who can change it; chown it to the worker's or to root")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw Problem("\(path) can be written by others; chmod go-w \(path)")
        }
        let directory: String?
        do throws(SystemError) {
            directory = try Files.directoryThatOthersCanChange(above: path)
        } catch {
            throw Problem("\(error)")
        }
        if let directory {
            throw Problem("others can put another file in the place of \(path), since they can write in \(directory)")
        }
        return status
    }

    /// Throws where others can change a file, or put another in the place of it: for one that a program reads by its name.
    static func check(_ path: String) throws(Problem) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Problem("\(SystemError("opening \(path)"))") }
        defer { close(descriptor) }
        _ = try check(descriptor, path)
    }
}
