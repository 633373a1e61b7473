import Glibc

/// Standard input, line by line, without ever waiting for it.
package struct StandardInputLines {
    private var unfinished: [UInt8] = []
    private var hasEnded: Bool
    /// What is longer is no line of ours, and is thrown away.
    private static let lineMax = 1 << 20

    /// A terminal is not read: nobody is to type there.
    package init() {
        hasEnded = isatty(STDIN_FILENO) == 1
    }

    /// The lines that have come since, without their ends.
    package mutating func read() throws(SystemError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        while !hasEnded {
            var item = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&item, 1, 0) > 0 else { break }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("reading standard input")
            }
            if count == 0 { hasEnded = true }
            for byte in buffer.prefix(count) {
                if byte == UInt8(ascii: "\n") {
                    lines.append(unfinished)
                    unfinished = []
                } else if unfinished.count < Self.lineMax {
                    unfinished.append(byte)
                }
            }
        }
        return lines
    }
}
