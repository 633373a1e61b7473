import Glibc

/// The few things done with files beside the database.
package enum Files {
    /// The content, at most `bytesMax` bytes of it.
    package static func read(_ path: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("opening \(path)") }
        defer { close(descriptor) }
        return try read(descriptor, path, bytesMax: bytesMax)
    }

    static func read(_ descriptor: Int32, _ path: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while content.count < bytesMax {
            let count = Glibc.read(descriptor, &buffer, min(buffer.count, bytesMax - content.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("reading \(path)") }
            if count == 0 { break }
            content.append(contentsOf: buffer[..<count])
        }
        return content
    }

    /// Writes a file so that it is there whole or not at all, and durable when this returns.
    /// - Parameters:
    ///   - othersMayRead: Whether it is for more than this user.
    ///   - mayReplace: Whether it may take the place of one that is there.
    package static func write(
        _ content: [UInt8], to path: String, othersMayRead: Bool = false, mayReplace: Bool = true
    ) throws(SystemError) {
        let name = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        // A name that nobody can have made before, and so no file or link of somebody else's.
        let temporary = "\(path[..<name]).\(path[name...]).\(UInt64.random(in: .min ... .max)).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("creating \(temporary)") }
        var written = 0
        while written < content.count {
            let count = content.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + written, content.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = SystemError("writing \(temporary)")
                close(descriptor)
                unlink(temporary)
                throw error
            }
            written += count
        }
        // Whatever the umask says.
        let permitted = othersMayRead ? fchmod(descriptor, 0o644) : 0
        let synced = permitted == 0 ? fsync(descriptor) : permitted
        let syncError = SystemError("writing \(temporary)")
        close(descriptor)
        guard synced == 0 else {
            unlink(temporary)
            throw syncError
        }
        if mayReplace {
            guard rename(temporary, path) == 0 else {
                let error = SystemError("creating \(path)")
                unlink(temporary)
                throw error
            }
        } else {
            let linked = link(temporary, path)
            let error = SystemError("creating \(path)")
            unlink(temporary)
            guard linked == 0 else { throw error }
        }
        try syncDirectory(of: path)
    }

    /// Makes the names in a file's directory durable.
    static func syncDirectory(of path: String) throws(SystemError) {
        let directory = path.lastIndex(of: "/").map { path[...$0] } ?? "."
        let descriptor = open(String(directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("opening \(directory)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemError("writing \(directory)") }
    }

    /// A path's directory, and the name in it.
    static func split(_ path: String) -> (directory: String, name: Substring) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path[...]) }
        return (String(path[...slash]), path[path.index(after: slash)...])
    }

    /// Removes a file; false where there was none.
    package static func remove(_ path: String) throws(SystemError) -> Bool {
        if unlink(path) == 0 { return true }
        guard errno == ENOENT else { throw SystemError("removing \(path)") }
        return false
    }

    /// Makes a directory with all its parents, for this user only; one that is there is left as it is.
    package static func makeDirectory(_ path: String) throws(SystemError) {
        if mkdir(path, 0o700) == 0 { return }
        switch errno {
        case EEXIST: return
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
                throw SystemError("creating \(path)")
            }
            try makeDirectory(String(path[..<slash]))
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SystemError("creating \(path)") }
        default: throw SystemError("creating \(path)")
        }
    }

    /// The names in a directory, sorted, without hidden ones; none where there is no such directory.
    package static func names(in path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw SystemError("reading \(path)")
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether a directory has an entry, and be it a link that leads nowhere.
    /// - Parameter directory: The descriptor of the directory that a relative path begins at.
    static func hasEntry(_ path: String, in directory: Int32) throws(SystemError) -> Bool {
        var status = stat()
        if fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 { return true }
        guard errno == ENOENT else { throw SystemError("looking at \(path)") }
        return false
    }

    /// Whether something is there. Nothing is where the path leads through a file; anything else is an error.
    package static func exists(_ path: String) throws(SystemError) -> Bool {
        var status = stat()
        if stat(path, &status) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw SystemError("looking at \(path)") }
        return false
    }

    /// Throws where something is there that is no file: reading a pipe may never end, and a device must not be replaced.
    package static func checkIsFile(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemError("looking at \(path)") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw TrustedFile.Problem("\(path) is not a file") }
    }

    /// The nearest directory above a path in which others than this user and root can put something in the place of what
    /// is there; nil where there is none. Of the real path, links resolved.
    package static func directoryThatOthersCanChange(above path: String) throws(SystemError) -> String? {
        var above = try realPath(nearestExistingParent(of: path))
        while true {
            if try othersCanReplaceFiles(in: above) { return above }
            guard above != "/", let slash = above.lastIndex(of: "/") else { return nil }
            above = slash == above.startIndex ? "/" : String(above[..<slash])
        }
    }

    private static func othersCanReplaceFiles(in directory: String) throws(SystemError) -> Bool {
        var status = stat()
        guard stat(directory, &status) == 0 else { throw SystemError("looking at \(directory)") }
        if status.st_uid == geteuid() || status.st_uid == 0 {
            if status.st_mode & 0o022 == 0 || status.st_mode & S_ISVTX != 0 { return false }
        }
        // Nobody writes where the system is mounted for reading only, as are the configuration maps of Kubernetes.
        var volume = statvfs()
        guard statvfs(directory, &volume) == 0 else { throw SystemError("looking at \(directory)") }
        return volume.f_flag & UInt(ST_RDONLY) == 0
    }

    /// A path without links.
    package static func realPath(_ path: String) throws(SystemError) -> String {
        guard let real = realpath(path, nil) else { throw SystemError("looking at \(path)") }
        defer { free(real) }
        return String(cString: real)
    }

    /// Reads a configuration: a file that says what is done, and that nobody else can change.
    /// - Throws: Why it is not read, in one line.
    package static func readTrusted(_ path: String, bytesMax: Int) throws -> [UInt8] {
        try TrustedFile.read(path, bytesMax: bytesMax).content
    }

    /// Throws, in one line, where others than this user and root can change a file, or put another in its place.
    package static func checkTrusted(_ path: String) throws { try TrustedFile.check(path) }

    /// Sets who may use a file.
    package static func setMode(_ mode: UInt32, of path: String) throws(SystemError) {
        guard chmod(path, mode) == 0 else { throw SystemError("setting the mode of \(path)") }
    }

    /// Locks a file for as long as this process lives.
    /// - Parameter path: A file that stays; made where there is none.
    /// - Returns: False where another process has it.
    package static func lockForGood(_ path: String) throws(SystemError) -> Bool {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("opening \(path)") }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        let error = SystemError("locking \(path)")
        close(descriptor)
        guard error.number == EWOULDBLOCK else { throw error }
        return false
    }

    /// Runs `body` while no other process runs one on the same path.
    /// - Parameter path: A file that stays; made where there is none.
    package static func withLock<Value, Failure: Error>(
        _ path: String, _ body: () throws(Failure) -> Value
    ) throws -> Value {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("opening \(path)") }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw SystemError("locking \(path)") }
        }
        return try body()
    }
}

extension Files {
    /// Throws unless this user can make files in a directory.
    package static func checkWritable(_ directory: String) throws(SystemError) {
        guard access(directory, W_OK | X_OK) == 0 else { throw SystemError("writing in \(directory)") }
        var status = stat()
        guard stat(directory, &status) == 0 else { throw SystemError("looking at \(directory)") }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw SystemError("writing in \(directory)", number: ENOTDIR)
        }
    }

    /// The directory that is there and nearest above a path.
    package static func nearestExistingParent(of path: String) throws(SystemError) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        let parent = String(path[..<slash])
        if parent.isEmpty { return "/" }
        return try exists(parent) ? parent : nearestExistingParent(of: parent)
    }
}
