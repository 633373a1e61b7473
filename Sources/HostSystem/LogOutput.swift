import Glibc

/// Standard error as a place for lines of a log, which never makes the writer wait: what nobody reads in time is left
/// out, and counted.
///
/// A pipe whose reader has stopped, or a terminal that is held by Ctrl-S, would otherwise stop the program.
package final class LogOutput: Sendable {
    private struct State {
        /// What is left of a line that was written in part.
        var tail: [UInt8] = []
        /// Lines left out since the last that was written.
        var lost = 0
    }

    private enum Kind {
        /// An open file of our own, whose writes never wait.
        case own(Int32)
        case socket
        /// A file, which is always ready; or what cannot be opened anew, and is asked whether it is ready.
        case shared
    }

    private let kind: Kind
    private let state = Locked(State())

    package init() {
        kind = LogOutput.kind()
    }

    deinit {
        if case .own(let descriptor) = kind { close(descriptor) }
    }

    private static func kind() -> Kind {
        var information = stat()
        guard fstat(STDERR_FILENO, &information) == 0 else { return .shared }
        switch information.st_mode & S_IFMT {
        case S_IFSOCK: return .socket
        case S_IFIFO, S_IFCHR:
            // Opened anew: setting the one at hand to non-blocking would do so for whoever shares it, too.
            let descriptor = open(
                "/proc/self/fd/\(STDERR_FILENO)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
            return descriptor >= 0 ? .own(descriptor) : .shared
        default: return .shared
        }
    }

    /// Writes a line, or leaves it out where that would take waiting, or fails.
    /// - Parameters:
    ///   - line: With its line feed. At most 4,096 bytes go to a pipe in one piece (`PIPE_BUF`).
    ///   - lossNote: Makes the line that tells how many were left out before this one.
    package func write(_ line: [UInt8], lossNote: (Int) -> [UInt8]) {
        state.withLock { state in
            if !state.tail.isEmpty {
                let tail = state.tail
                state.tail = []
                _ = put(tail, &state)
            }
            guard state.tail.isEmpty, state.lost == 0 || put(lossNote(state.lost), &state), state.tail.isEmpty else {
                state.lost += 1
                return
            }
            state.lost = put(line, &state) ? 0 : 1
        }
    }

    /// Says whether the bytes were written, of which the tail may still be to come.
    private func put(_ bytes: [UInt8], _ state: inout State) -> Bool {
        while true {
            let count = attempt(bytes)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            state.tail = Array(bytes[count...])
            return true
        }
    }

    private func attempt(_ bytes: [UInt8]) -> Int {
        switch kind {
        case .own(let descriptor): return Glibc.write(descriptor, bytes, bytes.count)
        case .socket:
            return send(STDERR_FILENO, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        case .shared:
            var ready = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
            guard poll(&ready, 1, 0) == 1, Int32(ready.revents) & POLLOUT != 0 else { return 0 }
            return Glibc.write(STDERR_FILENO, bytes, bytes.count)
        }
    }
}
