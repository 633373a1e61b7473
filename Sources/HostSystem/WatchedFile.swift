import Glibc

/// Why a watched file makes no sense.
///
/// It stands outside of the file's own generic type: an error inside of it, thrown by a closure of its initializer, makes
/// the optimizer of Swift 6.3.1 fail.
package struct WatchedFileProblem: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// A file whose meaning is in force, and is read again when the file changes. An edit that makes no sense changes
/// nothing but what is said.
package final class WatchedFile<Meaning> {
    /// What looking at the file has come to.
    package enum Look: Equatable {
        case unchanged
        /// What it says now is in force.
        case changed
        /// What it said before stays in force. Said once for each state of the file.
        case broken(String)
    }

    package let path: String
    package private(set) var meaning: Meaning
    private let bytesMax: Int
    private let read: ([UInt8]) throws(WatchedFileProblem) -> Meaning
    private var seen: Version?

    /// Which state of a file was read.
    private struct Version: Equatable {
        let device, inode: UInt
        let size, modifiedSeconds, modifiedNanoseconds, changedSeconds, changedNanoseconds: Int

        init(_ status: stat) {
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
            size = Int(status.st_size)
            modifiedSeconds = status.st_mtim.tv_sec
            modifiedNanoseconds = status.st_mtim.tv_nsec
            changedSeconds = status.st_ctim.tv_sec
            changedNanoseconds = status.st_ctim.tv_nsec
        }
    }

    /// Reads the file for the first time.
    /// - Parameters:
    ///   - bytesMax: The largest file that is read.
    ///   - read: Makes sense of its bytes.
    package init(
        _ path: String, bytesMax: Int, read: @escaping ([UInt8]) throws(WatchedFileProblem) -> Meaning
    ) throws(WatchedFileProblem) {
        self.path = path
        self.bytesMax = bytesMax
        self.read = read
        seen = Self.version(path)
        meaning = try Self.meaning(of: path, bytesMax, read)
    }

    /// Looks whether the file is another than before, and reads it if so. Costs one system call when it is not.
    package func look() -> Look {
        let version = Self.version(path)
        guard version != seen else { return .unchanged }
        // Looked at before it is read: what changes meanwhile is seen the next time.
        seen = version
        do {
            meaning = try Self.meaning(of: path, bytesMax, read)
            return .changed
        } catch {
            return .broken(error.description)
        }
    }

    private static func version(_ path: String) -> Version? {
        var status = stat()
        return stat(path, &status) == 0 ? Version(status) : nil
    }

    private static func meaning(
        of path: String, _ bytesMax: Int, _ read: ([UInt8]) throws(WatchedFileProblem) -> Meaning
    ) throws(WatchedFileProblem) -> Meaning {
        let content: [UInt8]
        do {
            content = try Files.read(path, bytesMax: bytesMax + 1)
        } catch {
            throw WatchedFileProblem("\(error)")
        }
        guard content.count <= bytesMax else { throw WatchedFileProblem("\(path) has more than \(bytesMax) bytes") }
        return try read(content)
    }
}
