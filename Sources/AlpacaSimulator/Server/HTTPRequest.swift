/// One HTTP/1.1 request, read in full.
struct HTTPRequest: Sendable {
    let method: String
    /// The path's segments, each percent-decoded by itself, so that `BTC%2FUSD` is one segment.
    let path: [String]
    let query: [(name: String, value: String)]
    /// Names in lower case, since they compare without case.
    let headers: [String: String]
    let body: [UInt8]
    /// Whether the client wants the connection kept.
    let keepsConnection: Bool

    func value(of name: String) -> String? {
        query.first { $0.name == name }?.value
    }

    /// Whether a switch of the query is on. Go, which Alpaca is written in, reads all of these as true; alpaca-py
    /// writes `True`.
    func isOn(_ name: String) -> Bool {
        ["true", "1", "t"].contains(value(of: name)?.lowercased())
    }
}

/// The first line and the headers of a request.
struct HTTPRequestHead {
    let method: String
    let path: [String]
    let query: [(name: String, value: String)]
    let headers: [String: String]
    let isHTTP11: Bool

    /// Nil for anything that is not a request's head.
    init?(_ text: Substring) {
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        guard !lines.isEmpty else { return nil }
        let parts = lines.removeFirst().split(separator: " ")
        guard parts.count == 3, parts[2].hasPrefix("HTTP/1."), parts[1].hasPrefix("/") else { return nil }
        method = String(parts[0])
        isHTTP11 = parts[2] == "HTTP/1.1"
        let target = parts[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = target[0].dropFirst().split(separator: "/").map { HTTPRequestHead.decoded($0, plusIsSpace: false) }
        query = target.count < 2 ? [] : HTTPRequestHead.query(target[1])
        var headers: [String: String] = [:]
        for line in lines where !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers[line[..<colon].lowercased()] = String(value)
        }
        self.headers = headers
    }

    var keepsConnection: Bool {
        let connection = headers["connection"]?.lowercased()
        return isHTTP11 ? connection != "close" : connection == "keep-alive"
    }

    private static func query(_ text: Substring) -> [(name: String, value: String)] {
        text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decoded(parts[0], plusIsSpace: true), parts.count < 2 ? "" : decoded(parts[1], plusIsSpace: true))
        }
    }

    private static func decoded(_ text: Substring, plusIsSpace: Bool) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
