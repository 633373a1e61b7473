import Glibc
import StrictJSON
import Testing

/// A client that sees what is on the wire: bytes, the orderly end of a connection, and its reset.
final class RawClient {
    enum End: Equatable {
        case stillOpen
        case closed
        case reset
    }

    struct Answer {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]

        var json: JSONValue? {
            do {
                return try JSONValue(parsing: body)
            } catch {
                return nil
            }
        }
    }

    private let file: Int32
    private var buffer: [UInt8] = []
    private(set) var end = End.stillOpen
    /// How many separate pieces were received.
    private(set) var pieces = 0

    init(port: UInt16) throws {
        file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(file, $0, size) }
        }
        try #require(code == 0)
        // Long enough for a busy machine, short enough to end a test that went wrong.
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(file) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(file, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Receives once more; false when nothing comes any more.
    @discardableResult
    func receive() -> Bool {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = read(file, &piece, piece.count)
        if count > 0 {
            buffer += piece[..<count]
            pieces += 1
            return true
        }
        if count == 0 { end = .closed }
        if count < 0, errno == ECONNRESET { end = .reset }
        return false
    }

    /// All bytes until the connection ends.
    func rest() -> [UInt8] {
        while receive() {}
        return buffer
    }

    /// The next whole answer; nil if the connection ends before.
    func answer() -> Answer? {
        while true {
            if let answer = takeAnswer() { return answer }
            guard receive() else { return nil }
        }
    }

    private func takeAnswer() -> Answer? {
        let text = String(decoding: buffer, as: UTF8.self)
        guard let headEnd = text.range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<headEnd.lowerBound].split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = String(parts[1].dropFirst())
        }
        let start = text[..<headEnd.upperBound].utf8.count
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard buffer.count >= start + length else { return nil }
        let body = Array(buffer[start..<start + length])
        buffer.removeFirst(start + length)
        return Answer(status: status, headers: headers, body: body)
    }

    // MARK: Requests

    static let credentials = "APCA-API-KEY-ID: key\r\napca-api-secret-key: secret\r\n"

    static func text(_ method: String, _ target: String, _ body: String = "", headers: String = credentials) -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: simulator\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    func request(_ method: String, _ target: String, _ body: String = "", headers: String = credentials) -> Answer? {
        send(RawClient.text(method, target, body, headers: headers))
        return answer()
    }

    /// The body of a market order, one share of KO.
    static func order(_ clientOrderID: String) -> String {
        #"{"symbol":"KO","qty":"1","side":"buy","type":"market","time_in_force":"day","client_order_id":"\#(clientOrderID)"}"#
    }

    func submit(_ clientOrderID: String) -> Answer? {
        request("POST", "/v2/orders", RawClient.order(clientOrderID))
    }
}

extension String {
    fileprivate func range(of part: String) -> Range<String.Index>? {
        let (text, wanted) = (Array(utf8), Array(part.utf8))
        guard text.count >= wanted.count else { return nil }
        for start in 0...(text.count - wanted.count) where text[start..<start + wanted.count].elementsEqual(wanted) {
            let lower = utf8.index(utf8.startIndex, offsetBy: start)
            return lower..<utf8.index(lower, offsetBy: wanted.count)
        }
        return nil
    }
}
