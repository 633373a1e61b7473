import Dispatch
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
    /// - Returns: When it listens.
    static func start(host: String, port: UInt16, _ answers: Answers, log: MonitorLog) throws -> WebServer {
        // The server lives on Swift's own threads, and the program on the main one, which waits for signals.
        let beginning = Locked<Result<Listening, Failure>?>(nil)
        let task = Task {
            var port = port
            while !Task.isCancelled {
                let end = await serve(host: host, port: port, answers) { listening in
                    beginning.withLock { $0 = $0 ?? .success(listening) }
                }
                guard case .success(let first)? = beginning.withLock(\.self) else {
                    beginning.withLock {
                        $0 = .failure(
                            Failure("cannot listen on \(host):\(port): \(end); choose another address with --listen"))
                    }
                    return
                }
                if Task.isCancelled { return }
                // As when more connections were opened than this process may have.
                log.line("all connections were closed: \(end); serving again")
                port = first.port
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
        while true {
            if let result = beginning.withLock(\.self) {
                return WebServer(task: task, address: try result.get().text)
            }
            usleep(5000)
        }
    }

    func stop() { task.cancel() }

    private struct Listening: Sendable {
        let port: UInt16
        let text: String
    }

    /// Serves until it cannot go on.
    /// - Returns: Why it has ended.
    private static func serve(
        host: String, port: UInt16, _ answers: Answers, begins: @escaping @Sendable (Listening) -> Void
    ) async -> String {
        let handler = ClosureHTTPHandler { request in await response(to: request, by: answers) }
        do {
            let server =
                host.contains(":")
                ? HTTPServer(
                    address: try .inet6(ip6: host, port: port), timeout: 10, logger: .disabled, handler: handler)
                : HTTPServer(
                    address: try .inet(ip4: host, port: port), timeout: 10, logger: .disabled, handler: handler)
            let watching = Task {
                while !Task.isCancelled {
                    if let listening = await listening(server) { return begins(listening) }
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            defer { watching.cancel() }
            try await server.run()
            return "it ended by itself"
        } catch {
            return if case SocketError.failed(_, _, let message) = error { message } else { "\(error)" }
        }
    }

    private static func listening(_ server: HTTPServer) async -> Listening? {
        switch await server.listeningAddress {
        case .ip4(let host, let port)?: Listening(port: port, text: "\(host):\(port)")
        case .ip6(let host, let port)?: Listening(port: port, text: "[\(host)]:\(port)")
        case .unix?, nil: nil
        }
    }

    // What is read from the store may take long. Swift's own threads, of which there are as many as processors, are kept
    // free of it for /metrics and /healthz. One at a time each, so that however many ask, two processors at most are busy.
    private static let chartReading = DispatchQueue(label: "charts")
    private static let storeReading = DispatchQueue(label: "store")

    private static func response(to request: HTTPRequest, by answers: Answers) async -> HTTPResponse {
        let question = Answers.Question(
            method: request.method.rawValue, host: request.headers[.host], path: request.path,
            query: request.query.map { ($0.name, $0.value) })
        let answer: Answer
        if question.path.hasPrefix("/api/") {
            let queue = question.path == "/api/history" ? chartReading : storeReading
            answer = await withCheckedContinuation { continuation in
                queue.async { continuation.resume(returning: answers.answer(question)) }
            }
        } else {
            answer = answers.answer(question)
        }
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
