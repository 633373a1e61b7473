import FlyingSocks
import FoundationEssentials
import Glibc
import HostSystem

/// Why a server could not start.
package struct ServerError: Error, CustomStringConvertible {
    package let description: String
}

/// Listens on one address and gives every connection a thread of its own.
///
/// FlyingFox's `HTTPServer` hands a handler the request and takes an answer: it can neither close without one, nor
/// reset, nor tell a reused connection. So this stands on its sockets (`FlyingSocks`) alone. They are used blocking,
/// on threads of ours, for the reason `ServerThread` gives.
final class HTTPServer: Sendable {
    private struct State {
        var connections: [Int: Socket] = [:]
        var accepted = 0
        var isStopping = false
        var isAccepting = true
    }

    let port: UInt16
    private let listener: Socket
    private let state = Locked(State())

    /// - Parameter serve: Called on a thread of its own for every connection; the connection is closed when it returns.
    init(
        host: String, port: UInt16, serve: @escaping @Sendable (HTTPConnection, HTTPServer) -> Void
    ) throws(ServerError) {
        do {
            let listener = try Socket(domain: AF_INET, type: .stream)
            HTTPServer.keepFromChildren(listener)
            do {
                try listener.setValue(true, for: .localAddressReuse)
                try listener.bind(to: sockaddr_in.inet(ip4: host, port: port))
                try listener.listen()
            } catch {
                try listener.close()
                throw error
            }
            guard case .ip4(_, let actual) = try listener.sockname() else {
                throw SocketError.unsupportedAddress
            }
            self.listener = listener
            self.port = actual
        } catch let error as SocketError {
            if case .failed(_, _, let message) = error {
                throw ServerError(description: "cannot listen on \(host):\(port): \(message)")
            }
            throw ServerError(description: "cannot listen on \(host):\(port): \(error)")
        } catch {
            throw ServerError(description: "cannot listen on \(host):\(port): \(error)")
        }
        guard ServerThread.start({ [self] in accept(serve) }) else {
            throw ServerError(description: "the system gives no thread to listen on")
        }
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Stops listening and breaks off every connection.
    func stop() {
        state.withLock { state in
            state.isStopping = true
            shutdown(listener.file.rawValue, Int32(SHUT_RDWR))
            for socket in state.connections.values { shutdown(socket.file.rawValue, Int32(SHUT_RDWR)) }
        }
    }

    /// Breaks off all connections but one.
    func closeConnections(except kept: Int? = nil) {
        state.withLock { state in
            for (number, socket) in state.connections where number != kept {
                shutdown(socket.file.rawValue, Int32(SHUT_RDWR))
            }
        }
    }

    /// Whether all threads have ended.
    var isStopped: Bool { state.withLock { !$0.isAccepting && $0.connections.isEmpty } }

    private func accept(_ serve: @escaping @Sendable (HTTPConnection, HTTPServer) -> Void) {
        while !isStopping {
            do {
                start(Socket(file: try listener.accept().file), serve)
            } catch {
                // Stopped, out of descriptors, or a client that went away at once: the next one may fare better.
                usleep(1000)
            }
        }
        state.withLock { state in
            HTTPServer.close(listener)
            state.isAccepting = false
        }
    }

    private func start(_ socket: Socket, _ serve: @escaping @Sendable (HTTPConnection, HTTPServer) -> Void) {
        HTTPServer.keepFromChildren(socket)
        let number = state.withLock { state in
            state.accepted += 1
            state.connections[state.accepted] = socket
            if state.isStopping { shutdown(socket.file.rawValue, Int32(SHUT_RDWR)) }
            return state.accepted
        }
        let isStarted = ServerThread.start { [self] in
            serve(HTTPConnection(socket, number: number), self)
            end(number)
        }
        if !isStarted { end(number) }
    }

    private func end(_ number: Int) {
        // Under the lock, so that `stop` never shuts down a descriptor that was given to someone else meanwhile.
        state.withLock { state in
            if let socket = state.connections.removeValue(forKey: number) { HTTPServer.close(socket) }
        }
    }

    /// Processes that a test starts do not inherit the socket: they would keep a closed connection open.
    private static func keepFromChildren(_ socket: Socket) {
        _ = fcntl(socket.file.rawValue, F_SETFD, FD_CLOEXEC)
    }

    private static func close(_ socket: Socket) {
        // Nothing can be done about a close that fails, and the descriptor is gone in any case.
        Glibc.close(socket.file.rawValue)
    }
}
