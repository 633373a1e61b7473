import Glibc

/// Standard output of the commands that print much. Who reads it may stop reading, as `head` does: then the program
/// ends, quietly and without an error.
final class StandardOutput {
    private var buffer: [UInt8] = []
    private static let bufferMax = 1 << 15

    /// The width of the terminal in characters; nil where the output goes elsewhere.
    let terminalWidth: Int?

    private init() {
        // A reader that is gone is then an error of the write, and not the end of the process by a signal.
        signal(SIGPIPE, SIG_IGN)
        var size = winsize()
        let isTerminal = isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
        terminalWidth = isTerminal && size.ws_col > 0 ? Int(size.ws_col) : nil
    }

    /// Runs `body`, and writes what it prints.
    static func print(_ body: (StandardOutput) throws -> Void) throws {
        let output = StandardOutput()
        do {
            try body(output)
        } catch {
            // What was printed before it failed is of use, and comes before the error.
            try output.flush()
            throw error
        }
        try output.flush()
    }

    /// Prints a line. Text from outside must have been made safe.
    func line(_ text: String) throws { try line(text.utf8) }

    func line(_ bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= StandardOutput.bufferMax { try flush() }
    }

    /// Writes what was printed so far.
    func flush() throws {
        var written = 0
        while written < buffer.count {
            let count = buffer[written...].withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE { exit(0) }
                throw Failure("standard output cannot be written: \(String(cString: strerror(errno)))")
            }
            written += count
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// Standard error, for remarks that are no part of the output.
enum StandardError {
    static func line(_ text: String) {
        let bytes = Array((TerminalText.safe(text) + "\n").utf8)
        // A remark that nobody can read is no reason to stop.
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
