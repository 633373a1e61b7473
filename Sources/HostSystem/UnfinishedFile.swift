import CLinux
import Glibc

/// A file that is written under a temporary name, and gets its own once it is whole and on disk. Whoever dies in between
/// leaves the temporary one, which the next to write the same file removes.
package final class UnfinishedFile {
    /// What it is to be called.
    package let path: String
    /// Where it is until then: beside it, hidden.
    package let temporaryPath: String
    let descriptor: Int32

    /// - Parameters:
    ///   - path: What it is to be called.
    ///   - temporaryName: The same for all who must not write at the same time; made of the file's name unless said.
    /// - Throws: Also while another process is at it.
    package init(_ path: String, temporaryName: String? = nil) throws(SystemError) {
        let nameStart = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let temporary = path[..<nameStart] + (temporaryName ?? ".\(path[nameStart...]).part")
        self.path = path
        temporaryPath = String(temporary)
        try UnfinishedFile.removeAbandoned(temporaryPath)
        descriptor = open(temporaryPath, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("creating \(temporaryPath)") }
        // Whatever the umask says; and while it is locked, nobody takes it for abandoned.
        guard fchmod(descriptor, 0o600) == 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError("creating \(temporaryPath)")
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    private static func removeAbandoned(_ path: String) throws(SystemError) {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw SystemError("opening \(path)")
        }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw SystemError("writing \(path), which another process is at")
        }
        try remove(path)
    }

    private static func remove(_ path: String) throws(SystemError) {
        for suffix in StateDirectory.databaseSuffixes { _ = try Files.remove(path + suffix) }
    }

    /// Adds bytes at the end of what was written here.
    package func append(_ bytes: some Collection<UInt8>) throws(SystemError) {
        let bytes = Array(bytes)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, bytes.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError("writing \(temporaryPath)") }
            written += count
        }
    }

    /// Has what was written so far on disk. In small portions it keeps nobody else long who waits for the same disk.
    package func sync() throws(SystemError) {
        guard fsync(descriptor) == 0 else { throw SystemError("writing \(temporaryPath)") }
    }

    /// Has the owner of a directory own it: root's file would be of no use to a worker that runs as another user.
    package func giveToOwner(of directory: String) throws(SystemError) {
        guard geteuid() == 0 else { return }
        var owner = stat()
        guard stat(directory, &owner) == 0 else { throw SystemError("looking at \(directory)") }
        guard fchown(descriptor, owner.st_uid, owner.st_gid) == 0 else {
            throw SystemError("setting the owner of \(temporaryPath)")
        }
    }

    /// Gives it its name. It is on disk under that when this returns.
    /// - Parameter mayReplace: Whether it may take the place of one that is there.
    package func publish(mayReplace: Bool) throws(SystemError) {
        try sync()
        if mayReplace {
            guard rename(temporaryPath, path) == 0 else { throw SystemError("creating \(path)") }
        } else {
            guard link(temporaryPath, path) == 0 else { throw SystemError("creating \(path)") }
            _ = try Files.remove(temporaryPath)
        }
        try Files.syncDirectory(of: path)
    }

    /// Removes it, under its temporary name.
    package func discard() throws(SystemError) { try UnfinishedFile.remove(temporaryPath) }
}

extension Files {
    /// Hands the bytes of a file on, a piece after the other.
    package static func forEachPiece<Failure: Error>(
        of path: String, _ body: (ArraySlice<UInt8>) throws(Failure) -> Void
    ) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("opening \(path)") }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("reading \(path)") }
            if count == 0 { return }
            try body(buffer[..<count])
        }
    }

    /// The size of a file in bytes; nil where there is none.
    package static func size(of path: String) throws(SystemError) -> Int64? {
        var status = stat()
        if stat(path, &status) == 0 { return Int64(status.st_size) }
        guard errno == ENOENT || errno == ENOTDIR else { throw SystemError("looking at \(path)") }
        return nil
    }

    /// Whether two names mean the same file.
    package static func areSame(_ left: String, _ right: String) -> Bool {
        var (first, second) = (stat(), stat())
        guard stat(left, &first) == 0, stat(right, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }
}
