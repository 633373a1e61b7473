/// Bare HTTP over one kept connection.
final class BrokerClient {
    private let socket: StreamSocket
    private var unread: [UInt8] = []

    init(port: UInt16) throws(BenchmarkFailure) {
        socket = try StreamSocket(port: port)
    }

    /// Sends a request, waits for its answer, and returns the answer's body.
    func exchange(_ method: String, _ target: String, body: [UInt8] = []) throws(BenchmarkFailure) -> [UInt8] {
        let head = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(body.count)\r\n\r\n"
        try socket.send(Array(head.utf8) + body)
        while true {
            if let (bodyStart, length) = try answer() {
                defer { unread.removeFirst(length) }
                return Array(unread[bodyStart..<length])
            }
            guard try socket.receive(into: &unread) else { throw BenchmarkFailure("the broker hung up") }
        }
    }

    private func answer() throws(BenchmarkFailure) -> (bodyStart: Int, length: Int)? {
        guard let head = try HTTPHead.first(in: unread), unread.count >= head.length + head.bodyLength else {
            return nil
        }
        return (head.length, head.length + head.bodyLength)
    }
}
