import FlyingFox
import FlyingSocks
import Foundation
import HostSystem

/// Speaks HTTP, and asks `Answers`.
struct WebServer {
    private let task: Task<Void, Never>
    /// Where it listens: an address and a port.
    let address: String

    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address.
    ///   - port: 0 for any that is free.
    static func start(host: String, port: UInt16, _ answers: Answers) throws -> WebServer {
        let server: HTTPServer
        let handler = ClosureHTTPHandler { request in response(to: request, by: answers) }
        do {
            server =
                host.contains(":")
                ? HTTPServer(
                    address: try .inet6(ip6: host, port: port), timeout: 10, logger: .disabled, handler: handler)
                : HTTPServer(
                    address: try .inet(ip4: host, port: port), timeout: 10, logger: .disabled, handler: handler)
        } catch {
            throw Failure("--listen needs an address and a port, such as 127.0.0.1:9464; \(host) is none")
        }
        // The server lives on Swift's own threads, and the program on the main one, which waits for signals.
        let outcome = Locked<Result<String, Failure>?>(nil)
        let task = Task {
            do {
                try await server.run()
            } catch {
                let reason = if case SocketError.failed(_, _, let message) = error { message } else { "\(error)" }
                outcome.withLock { $0 = .failure(Failure("cannot listen on \(host):\(port): \(reason)")) }
            }
        }
        Task {
            while outcome.withLock({ $0 == nil }) {
                if let address = await server.listeningAddress {
                    outcome.withLock { $0 = $0 ?? .success(text(of: address)) }
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        while true {
            if let result = outcome.withLock(\.self) {
                return WebServer(task: task, address: try result.get())
            }
            usleep(5000)
        }
    }

    func stop() { task.cancel() }

    private static func text(of address: Socket.Address) -> String {
        switch address {
        case .ip4(let host, let port): "\(host):\(port)"
        case .ip6(let host, let port): "[\(host)]:\(port)"
        case .unix(let path): path
        }
    }

    private static func response(to request: HTTPRequest, by answers: Answers) -> HTTPResponse {
        let answer = answers.answer(
            Answers.Question(
                method: request.method.rawValue, host: request.headers[.host], path: request.path,
                query: request.query.map { ($0.name, $0.value) }))
        var headers = HTTPHeaders()
        headers[.contentType] = answer.kind.rawValue
        for (name, value) in Answer.securityHeaders { headers[HTTPHeader(name)] = value }
        if answer.status == 405 { headers[HTTPHeader("Allow")] = "GET, HEAD" }
        let body = request.method == .HEAD ? Data() : Data(answer.body)
        return HTTPResponse(
            statusCode: HTTPStatusCode(answer.status, phrase: phrase(answer.status)), headers: headers, body: body)
    }

    private static func phrase(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 421: "Misdirected Request"
        case 503: "Service Unavailable"
        default: "Status \(status)"
        }
    }
}
