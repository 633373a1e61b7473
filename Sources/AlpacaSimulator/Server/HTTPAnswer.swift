import StrictJSON

/// One HTTP answer before it is put on the wire.
struct HTTPAnswer: Sendable {
    enum Kind: String, Sendable {
        /// As recorded (d-e-s-o/apca #33).
        case json = "application/json; charset=UTF-8"
        case html = "text/html"
        case text = "text/plain; charset=utf-8"
    }

    var status: Int
    var kind: Kind
    var body: [UInt8]
    var headers: [(name: String, value: String)] = []

    init(_ status: Int, _ kind: Kind, _ body: [UInt8]) {
        self.status = status
        self.kind = kind
        self.body = body
    }

    /// JSON in the manner of Go's encoder, which Alpaca uses: `<`, `>` and `&` are escaped.
    static func json(_ status: Int, _ bytes: [UInt8]) -> HTTPAnswer {
        HTTPAnswer(status, .json, HTTPAnswer.escapedAsByGo(bytes))
    }

    static func json(_ status: Int, _ value: JSONValue) -> HTTPAnswer {
        var writer = JSONWriter()
        value.write(to: &writer)
        return json(status, writer.bytes)
    }

    static func json(_ status: Int = 200, _ write: (inout JSONWriter) -> Void) -> HTTPAnswer {
        var writer = JSONWriter(reserving: 2048)
        write(&writer)
        return json(status, writer.bytes)
    }

    static let noContent = HTTPAnswer(204, .json, [])

    static func refusal(_ refusal: BrokerRefusal) -> HTTPAnswer {
        json(refusal.httpStatus, refusal.body)
    }

    /// The stock page of nginx, which Alpaca's edge answers with where no service does.
    static func nginxPage(_ status: Int) -> HTTPAnswer {
        let title = "\(status) \(HTTPAnswer.reason(status))"
        let page =
            "<html>\r\n<head><title>\(title)</title></head>\r\n<body>\r\n<center><h1>\(title)</h1></center>\r\n"
            + "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        return HTTPAnswer(status, .html, Array(page.utf8))
    }

    /// The bytes of status line and headers.
    func head(closing: Bool) -> [UInt8] {
        var text = "HTTP/1.1 \(status) \(HTTPAnswer.reason(status))\r\n"
        if status != 204 {
            text += "Content-Type: \(kind.rawValue)\r\nContent-Length: \(body.count)\r\n"
        }
        for header in headers { text += "\(header.name): \(header.value)\r\n" }
        if closing { text += "Connection: close\r\n" }
        return Array((text + "\r\n").utf8)
    }

    static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 207: "Multi-Status"
        case 400: "Bad Request"
        // The words of nginx.
        case 401: "Authorization Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 413: "Request Entity Too Large"
        case 422: "Unprocessable Entity"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 504: "Gateway Time-out"
        default: "Status \(status)"
        }
    }

    private static func escapedAsByGo(_ bytes: [UInt8]) -> [UInt8] {
        let isEscaped = { (byte: UInt8) in
            byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "&")
        }
        guard bytes.contains(where: isEscaped) else { return bytes }
        var result: [UInt8] = []
        for byte in bytes {
            // These characters stand only inside strings.
            switch byte {
            case UInt8(ascii: "<"): result.append(contentsOf: "\\u003c".utf8)
            case UInt8(ascii: ">"): result.append(contentsOf: "\\u003e".utf8)
            case UInt8(ascii: "&"): result.append(contentsOf: "\\u0026".utf8)
            default: result.append(byte)
            }
        }
        return result
    }
}
