import Glibc

/// The digest of files with 256 bits of the Secure Hash Standard (FIPS 180-4), as the program `sha256sum` takes it.
package enum SHA256 {
    /// - Returns: 64 hexadecimal digits.
    package static func digest(of file: String) throws -> String {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemError("making a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { for end in ends { close(end) } }
        // It says one short line, which has room in the pipe.
        var line = [UInt8](repeating: 0, count: 64)
        guard try FileFilter.run(["sha256sum"], from: file, to: ends[1]),
            read(ends[0], &line, line.count) == line.count
        else { throw SystemError("taking the digest of \(file)", number: EIO) }
        return String(decoding: line, as: UTF8.self)
    }
}
