import Glibc

/// Standard output of the commands that print much. Who reads it may stop reading, as `head` does: then the program
/// ends, quietly and without an error.
final class StandardOutput {
    private var buffer: [UInt8] = []
    private static let bufferMax = 1 << 15

    /// Whether it is a terminal.
    let isTerminal = isatty(STDOUT_FILENO) == 1

    private init() {
        // A reader that is gone is then an error of the write, and not the end of the process by a signal.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Whether it is a terminal on which the cursor can be moved and colours be set.
    var obeysCursor: Bool {
        guard isTerminal, let kind = getenv("TERM") else { return isTerminal }
        return String(cString: kind) != "dumb"
    }

    /// The terminal's size in characters, as it is now; nil where the output goes elsewhere, or nobody knows.
    var terminalSize: (width: Int, height: Int)? {
        var size = winsize()
        guard isTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return (Int(size.ws_col), size.ws_row > 0 ? Int(size.ws_row) : 24)
    }

    var terminalWidth: Int? { terminalSize?.width }

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

    /// Prints what is no line, such as the movement of a cursor.
    func put(_ text: String) { buffer.append(contentsOf: text.utf8) }

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

    /// Ends the program, quietly, where nobody reads any more: who has nothing to write would not learn of it.
    func endIfNobodyReads() {
        var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        if poll(&output, 1, 0) == 1, Int32(output.revents) & POLLERR != 0 { exit(0) }
    }

    /// Makes signals that end the program first take away the line that the cursor is on, and colours that are set: what
    /// the shell prints next begins at the left of an empty line.
    func leaveTidily() {
        guard obeysCursor else { return }
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            signal(number) { number in
                // Nothing but what is allowed in a handler; the signal comes again when this has returned.
                let tidy: StaticString = "\r\u{1B}[0m\u{1B}[K"
                _ = write(STDOUT_FILENO, tidy.utf8Start, tidy.utf8CodeUnitCount)
                signal(number, SIG_DFL)
                raise(number)
            }
        }
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
