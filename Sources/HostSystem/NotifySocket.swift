import Glibc

/// The socket on which a service manager, systemd above all, is told how its service is: one datagram of lines
/// `NAME=value`. (Source: sd_notify(3), whose protocol is stable and needs no library.)
package final class NotifySocket {
    private static let variable = "NOTIFY_SOCKET"
    private let descriptor: Int32
    private let path: String
    private var address = sockaddr_un()
    private let length: socklen_t

    /// Why nobody can be told.
    package enum Failure: Error, CustomStringConvertible {
        case noAddress(String)
        case system(SystemError)

        package var description: String {
            switch self {
            case .noAddress(let text): "\(NotifySocket.variable) is \(text), and must be /PATH or @NAME"
            case .system(let error): "\(error)"
            }
        }
    }

    /// Nil where no service manager has asked to be told.
    /// - Parameter environment: The variables of the process, of which `NOTIFY_SOCKET` names the socket: a path, or after
    ///   `@` a name in Linux's abstract namespace.
    package init?(_ environment: [String: String]) throws(Failure) {
        guard let path = environment[NotifySocket.variable], !path.isEmpty else { return nil }
        var name = Array(path.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard name.count > 1, name.count < capacity, path.hasPrefix("/") || path.hasPrefix("@") else {
            throw .noAddress(path)
        }
        if path.hasPrefix("@") { name[0] = 0 }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        // A byte more would be part of an abstract name.
        length = socklen_t(MemoryLayout.size(ofValue: address) - capacity + name.count)
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(SystemError("opening a socket for \(path)")) }
    }

    deinit { close(descriptor) }

    /// Tells, and never waits: false where the service manager has not read what it was told before.
    package func tell(_ notices: [ServiceNotice]) throws(SystemError) -> Bool {
        let text = notices.map(\.line).joined(separator: "\n")
        let sent = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                sendto(
                    descriptor, text, text.utf8.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL),
                    address, length)
            }
        }
        if sent >= 0 { return true }
        guard errno == EAGAIN || errno == ENOBUFS else { throw SystemError("telling the service manager at \(path)") }
        return false
    }
}

/// What a service manager can be told.
package enum ServiceNotice: Equatable, Sendable {
    /// The service has started: it does what it is for.
    case ready
    /// It has begun to stop.
    case stopping
    /// It is alive; to be said more often than every `WATCHDOG_USEC` microseconds.
    case watchdog
    /// One line for a person.
    case status(String)

    var line: String {
        switch self {
        case .ready: "READY=1"
        case .stopping: "STOPPING=1"
        case .watchdog: "WATCHDOG=1"
        case .status(let text):
            // A line feed would begin another notice.
            "STATUS=" + String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 ? " " : $0 }))
        }
    }

    /// Whether the service manager ends this process when it is not told `watchdog` in time.
    package static func isWatched(_ environment: [String: String]) -> Bool {
        guard let period = environment["WATCHDOG_USEC"], !period.isEmpty else { return false }
        // A watchdog of the process that started this one is not ours to feed.
        return environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
    }
}
