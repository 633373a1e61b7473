import Glibc
import TradingCore

/// Watches the connections of the worker's sockets, and cuts those that the rules say are too much: in a thread of its
/// own, so that it keeps watch also while the worker waits for its disk, or ZeroMQ is busy with an attacker.
package final class ConnectionGuard {
    private let isStopping = Locked(false)
    private var thread = pthread_t()

    /// - Parameters:
    ///   - intake: The endpoints whose connections send messages and get answers.
    ///   - outcomes: The endpoints whose connections only listen.
    ///   - traffic: What is counted of the intake's connections.
    ///   - tell: Called with a line for the log, at most once a second, by the guard's thread.
    package init(
        intake: [String], outcomes: [String], traffic: ConnectionTraffic, tell: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        var sockets: [LocalEndpoint: ConnectionSight.Socket] = [:]
        for endpoint in intake.compactMap(LocalEndpoint.init) { sockets[endpoint] = .intake }
        for endpoint in outcomes.compactMap(LocalEndpoint.init) { sockets[endpoint] = .outcomes }
        let watch = Unmanaged.passRetained(try ConnectionWatch(sockets, traffic, isStopping, tell))
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { preconditionFailure("the thread is given what it works on") }
                ThisProgram.nameThread("connections")
                Unmanaged<ConnectionWatch>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, watch.toOpaque())
        guard code == 0 else {
            watch.release()
            throw SystemError("starting a thread", number: code)
        }
    }

    /// Ends the thread.
    deinit {
        isStopping.withLock { $0 = true }
        pthread_join(thread, nil)
    }
}
