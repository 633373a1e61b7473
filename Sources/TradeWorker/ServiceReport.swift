import HostSystem
import Logging
import TradingCore

/// Tells the service manager how the worker is. It is called from the main loop and from nowhere else, so that a loop that
/// is stuck does not feed the watchdog, whatever other threads do.
final class ServiceReport {
    /// The loop turns once a second at least, so a watchdog of three seconds or more is fed in time.
    private static var interval: Microseconds { .milliseconds(500) }
    private let socket: NotifySocket
    private let isWatched: Bool
    private let log: Logger
    private var due = MonotonicTime(microseconds: 0)
    private var toldStatus = ""
    private var isFailing = false

    /// Nil where no service manager has asked to be told.
    init?(_ environment: [String: String], log: Logger) throws(NotifySocket.Failure) {
        guard let socket = try NotifySocket(environment) else { return nil }
        self.socket = socket
        isWatched = ServiceNotice.isWatched(environment)
        self.log = log
    }

    /// Decisions are taken from now on.
    func ready() { tell([.ready]) }

    /// Nothing more is taken, and the attempt under way is finished.
    func stopping() { tell([.stopping]) }

    /// The main loop has come round.
    /// - Parameter status: The worker's condition in one line.
    func loopTurned(at now: MonotonicTime, _ status: @autoclosure () -> String) {
        guard now >= due else { return }
        due = now + Self.interval
        let status = status()
        var notices: [ServiceNotice] = isWatched ? [.watchdog] : []
        if status != toldStatus { notices.append(.status(status)) }
        if !notices.isEmpty, tell(notices) { toldStatus = status }
    }

    /// Whether it was told. Trading does not depend on it: a failure is logged once.
    @discardableResult
    private func tell(_ notices: [ServiceNotice]) -> Bool {
        do {
            let isTold = try socket.tell(notices)
            isFailing = false
            return isTold
        } catch {
            if !isFailing { log.warning("\(error)") }
            isFailing = true
            return false
        }
    }
}
