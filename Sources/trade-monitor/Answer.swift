/// One HTTP answer.
struct Answer: Sendable {
    enum Kind: String {
        case json = "application/json"
        case metrics = "text/plain; version=0.0.4; charset=utf-8"
        case text = "text/plain; charset=utf-8"
        case html = "text/html; charset=utf-8"
        case style = "text/css; charset=utf-8"
        case script = "text/javascript; charset=utf-8"
        case icon = "image/svg+xml"
    }

    var status: Int
    var kind: Kind
    var body: [UInt8]

    init(_ status: Int, _ kind: Kind, _ body: [UInt8]) {
        self.status = status
        self.kind = kind
        self.body = body
    }

    static func json(_ body: [UInt8]) -> Answer { Answer(200, .json, body) }

    static func refusal(_ status: Int, _ message: String) -> Answer {
        Answer(status, .text, Array((message + "\n").utf8))
    }

    /// What every answer carries. The page runs its own script and no other, asks this monitor and nobody else, and is
    /// shown in no frame.
    static let securityHeaders = [
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    ]
}
