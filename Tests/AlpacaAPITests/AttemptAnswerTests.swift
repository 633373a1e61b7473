import AlpacaAPI
import Testing
import TradingCore

@Suite("An answer to our POST")
struct AttemptAnswerTests {
    private let order = #"{"id":"o-1","client_order_id":"mean-rev:d-17","status":"pending_new","filled_qty":"0"}"#

    @Test("with any 2xx and our order is taken", arguments: [200, 201, 207, 299])
    func taken(_ code: Int) throws {
        let shown = try #require(OrderAnswer.order(Array(order.utf8)))
        #expect(try attemptResult(code, order) == .taken(shown))
    }

    @Test(
        "with 2xx and anything else is lost, for the order may exist",
        arguments: [
            "", " ", "null", "[]", "{}", "<html><body>ok</body></html>", "OK", "{\"id\":\"o-1\"",
            #"{"id":"o-1","client_order_id":"mean-rev:d-17"}"#, #"{"client_order_id":"mean-rev:d-17","status":"new"}"#,
            #"{"id":"o-1","status":"new"}"#, #"{"id":"o-1","client_order_id":"mean-rev:d-18","status":"new"}"#,
            #"{"id":"","client_order_id":"mean-rev:d-17","status":"new"}"#,
            #"{"id":"o-1","client_order_id":"mean-rev:d-17","status":""}"#,
            #"{"id":7,"client_order_id":"mean-rev:d-17","status":"new"}"#,
            #"{"id":"o-1","client_order_id":"mean-rev:d-17","status":null}"#,
            #"{"id":"o-1","client_order_id":"mean-rev:d-17","status":"new"} x"#,
            #"{"id":"o-1","client_order_id":"mean-rev:d-17","status":"new","status":"rejected"}"#,
            #"[{"id":"o-1","client_order_id":"mean-rev:d-17","status":"new"}]"#,
            #"{"status":"error","message":"client_order_id must be unique"}"#,
            #"{"code":40310000,"message":"insufficient buying power"}"#,
        ])
    func unreadable(_ body: String) throws {
        guard case .lost = try attemptResult(200, body) else {
            Issue.record("\(try attemptResult(200, body))")
            return
        }
    }

    @Test("with broken UTF-8 or an abyss of brackets is lost")
    func hostile() throws {
        for body in [[0xFF, 0xFE], Array(repeating: UInt8(ascii: "["), count: 100_000)] as [[UInt8]] {
            guard case .lost = try attemptResult(200, body) else {
                Issue.record("not lost")
                return
            }
        }
    }

    @Test(
        "with a filled quantity that cannot be read is lost, never taken for nothing filled",
        arguments: [
            "\"1e2\"", "1e2", "\"-1\"", "\"abc\"", "\"99999999999999999999\"", "true", "{}", "\"9000000000000000\"",
        ])
    func unreadableFill(_ quantity: String) throws {
        let body = order.replacing("\"0\"", with: quantity)
        guard case .lost = try attemptResult(200, body) else {
            Issue.record("\(try attemptResult(200, body))")
            return
        }
        #expect(OrderAnswer.order(Array(body.utf8)) == nil)
    }

    @Test(
        "with 4xx is refused, with the broker's message and code",
        arguments: [400, 401, 403, 404, 405, 408, 418, 422, 429, 499])
    func refused(_ code: Int) throws {
        #expect(
            try attemptResult(code, #"{"code":40310000,"message":"insufficient buying power"}"#)
                == .refused(
                    BrokerError(
                        code: 40_310_000, message: "insufficient buying power",
                        details: #"{"code":40310000,"message":"insufficient buying power"}"#)))
    }

    @Test(
        "with the words for a duplicate id says that an order of ours exists, in whatever wrapping they come",
        arguments: [
            (422, #"{"code":40010001,"message":"client_order_id must be unique"}"#),
            (409, #"{"code":40010001,"message":"client_order_id must be unique"}"#),
            (422, #"{"code":42210000,"message":"client order id must be unique"}"#),
            (422, #"{"message":"Client_Order_ID must be unique."}"#), (400, "client_order_id must be unique"),
            (422, "<p>client_order_id must be unique</p>"),
            (422, #"{"message":"client_order_id must be unique","message":"x <y>"}"#),
            (422, #"{"code":40010001,"message":"client_order_id must be un\u0069que"}"#),
            (422, String(repeating: "x", count: 5000) + " client_order_id must be unique"),
        ])
    func exists(_ code: Int, _ body: String) throws {
        guard case .exists = try attemptResult(code, body) else {
            Issue.record("\(try attemptResult(code, body))")
            return
        }
    }

    @Test(
        "that may have said so, but cannot be read, is lost",
        arguments: [
            (422, ""), (422, #"{"code":40010001,"message":"cl"#), (409, "<html>"), (422, "[]"), (422, #"{"code":1}"#),
            (422, "Unprocessable Entity"),
        ])
    func unreadableRefusal(_ code: Int, _ body: String) throws {
        #expect(
            try attemptResult(code, body) == .lost(reason: "HTTP \(code) with an answer that cannot be read"))
    }

    @Test("that cannot be read is a refusal all the same, where no answer of its kind says that an order exists")
    func unreadableElsewhere() throws {
        for code in [400, 401, 403, 404, 429] {
            guard case .refused = try attemptResult(code, "too many requests") else {
                Issue.record("HTTP \(code)")
                return
            }
        }
    }

    @Test(
        "about the client order id's form is a plain refusal",
        arguments: ["client_order_id must be no more than 128 characters", "client_order_id is missing"])
    func otherWords(_ message: String) throws {
        #expect(
            try attemptResult(422, "{\"message\":\"\(message)\"}") == .refused(BrokerError(message: message)))
    }

    @Test(
        "with a redirect, a server's failure or a number that is none is lost, whatever it says",
        arguments: [0, 100, 301, 302, 307, 308, 500, 502, 503, 504, 599, 600, 999, -1])
    func lost(_ code: Int) throws {
        for body in [order, "", "<html>", #"{"code":50010000,"message":"client_order_id must be unique"}"#] {
            guard case .lost(let reason) = try attemptResult(code, body) else {
                Issue.record("HTTP \(code)")
                return
            }
            #expect(reason.hasPrefix("HTTP \(code): "))
        }
    }

    @Test("that never came is lost, or not sent where no byte left")
    func none() throws {
        let id = try decision().clientOrderID
        let partial = HTTPAnswer(statusCode: 422, body: Array(#"{"message":"no"}"#.utf8))
        #expect(AttemptResult(.lost(reason: "reset", partial: nil), clientOrderID: id) == .lost(reason: "reset"))
        #expect(AttemptResult(.lost(reason: "reset", partial: partial), clientOrderID: id) == .lost(reason: "reset"))
        #expect(AttemptResult(.notSent(reason: "DNS"), clientOrderID: id) == .notSent(reason: "DNS"))
    }
}

@Suite("An error answer")
struct ErrorAnswerTests {
    private func read(_ text: String, _ code: Int = 422) -> BrokerError {
        ErrorAnswer.read(Array(text.utf8), httpStatusCode: code)
    }

    @Test("keeps the whole answer as details where it says more than its message")
    func details() {
        #expect(read(#"{"message":"too many requests."}"#) == BrokerError(message: "too many requests."))
        let wash = #"{"code":40310000,"existing_order_id":"e","message":"wash","related_orders":["a"]}"#
        #expect(read(wash) == BrokerError(code: 40_310_000, message: "wash", details: wash))
    }

    @Test("may be plain text")
    func text() {
        #expect(read("Too Many Requests", 429) == BrokerError(message: "Too Many Requests"))
    }

    @Test("of HTML names the HTTP status, and keeps the page as details")
    func html() {
        let page = "<html>\r\n<head><title>401 Authorization Required</title></head></html>\r\n"
        #expect(read(page, 401) == BrokerError(message: "HTTP 401: no readable message", details: page))
    }

    @Test("of nothing at all has a message nevertheless", arguments: [""])
    func nothing(_ body: String) {
        #expect(read(body, 403) == BrokerError(message: "HTTP 403: no readable message"))
    }

    @Test(
        "whose message is missing, empty or no text is shown as it came",
        arguments: [#"{"code":40010001}"#, #"{"message":""}"#, #"{"message":null}"#, #"{"message":7}"#, "[1]", "{"])
    func noMessage(_ body: String) {
        #expect(read(body).message == body)
    }

    @Test("keeps odd characters")
    func oddCharacters() {
        let message = "asset \"ÅÄÖ/\u{2028}USD\"\nnot found \\ \u{0} '; DROP TABLE executions; --"
        let body = #"{"message":"asset \"ÅÄÖ/\u2028USD\"\nnot found \\ \u0000 '; DROP TABLE executions; --"}"#
        #expect(read(body) == BrokerError(message: message))
        #expect(read(#"{"message":"qty must be \u003e 0"}"#).message == "qty must be > 0")
    }

    @Test("survives broken UTF-8 and great length")
    func hostile() {
        #expect(ErrorAnswer.read([0xFF, 0x41], httpStatusCode: 400).message == "\u{FFFD}A")
        #expect(read(String(repeating: "x", count: 100_000)).message.utf8.count == 4096)
    }

    @Test(
        "has no code where it is no whole number", arguments: ["\"40310000\"", "4.5", "null", "99999999999999999999"])
    func oddCode(_ json: String) {
        #expect(read("{\"code\":\(json),\"message\":\"m\"}").code == nil)
        #expect(read("{\"code\":\(json),\"message\":\"m\"}").message == "m")
    }
}
