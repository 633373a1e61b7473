import AlpacaAPI
import StrictJSON
import Testing
import TradingCore

@Suite("An answer that the broker was seen to give")
struct RecordedAnswerTests {
    @Test("is one of fifty-six")
    func count() throws {
        #expect(try RecordedAnswer.all().count == 56)
        #expect(try RecordedAnswer.all().count { $0.isOfOneOrder } == 23)
    }

    @Test(
        "about one order is read, its amounts to the digit", arguments: try RecordedAnswer.all().filter(\.isOfOneOrder))
    func order(_ answer: RecordedAnswer) throws {
        let json = try #require(answer.json)
        let order = try #require(OrderAnswer.order(answer.body))
        #expect(order.id == json["id"]?.string)
        #expect(order.clientOrderID == json["client_order_id"]?.string)
        #expect(order.status.text == json["status"]?.string)
        #expect(order.symbol ?? "" == json["symbol"]?.string)
        #expect(order.side ?? "" == json["side"]?.string)
        #expect(order.quantity?.text == plain(json["qty"]))
        #expect(order.notional?.text == plain(json["notional"]))
        #expect(order.filledQuantity?.text == plain(json["filled_qty"]))
        #expect(order.filledAveragePrice?.text == plain(json["filled_avg_price"]))
        #expect(order.commission?.text == plain(json["commission"]))
        #expect(order.submittedAt == json["submitted_at"]?.string.flatMap(Timestamp.init))
        #expect(order.updatedAt == json["updated_at"]?.string.flatMap(Timestamp.init))
        #expect(order.filledAt == json["filled_at"]?.string.flatMap(Timestamp.init))
        #expect(order.submittedAt != nil)
        #expect(order.replacedBy == json["replaced_by"]?.string)
        #expect(order.legs.map(\.id) == (json["legs"]?.array ?? []).compactMap { $0["id"]?.string })
        #expect(order.legs.map(\.symbol) == (json["legs"]?.array ?? []).map { $0["symbol"]?.string })
    }

    /// The text of a string or the literal of a number; nil for null and absent.
    private func plain(_ value: JSONValue?) -> String? {
        guard let value, !value.isNull else { return nil }
        return value.string ?? value.text
    }

    @Test(
        "maps to the status that the original design gives it",
        arguments: try RecordedAnswer.all().filter { $0.expectedStatus != nil })
    func mapping(_ answer: RecordedAnswer) throws {
        let status = OrderStatus.executionStatus(ofAnswerToPost: OrderAnswer.order(answer.body)?.status)
        #expect(status.rawValue == answer.expectedStatus)
    }

    @Test(
        "to our POST is taken, refused, or lost: never refused unless the broker said so",
        arguments: try RecordedAnswer.all().filter { $0.httpStatusCode != nil })
    func attempt(_ answer: RecordedAnswer) throws {
        let code = try #require(answer.httpStatusCode)
        let body = answer.body(with: try decision().clientOrderID)
        switch try attemptResult(code, body) {
        case .taken(let order):
            #expect(answer.isOfOneOrder)
            #expect(order == OrderAnswer.order(body))
        case .refused(let error):
            #expect((400..<500).contains(code))
            #expect(code != 409)
            #expect(error.message == answer.json?["message"]?.string ?? error.message)
            #expect(error.code == answer.json?["code"]?.integer)
        case .exists(let error):
            #expect(code == 409)
            #expect(error.message == "client_order_id must be unique")
        case .lost: #expect(code >= 500 || !answer.isOfOneOrder)
        case .notSent: Issue.record("an answer came")
        }
    }

    @Test("about one order under another id than ours is no answer to our POST")
    func otherOrder() throws {
        for answer in try RecordedAnswer.all() where answer.isOfOneOrder {
            let result = try attemptResult(200, answer.body)
            #expect(result == .lost(reason: "HTTP 200 with an answer that shows no order of ours"))
        }
    }

    @Test("keeps an order's legs with their states", arguments: ["144-derived-bracket-with-held-legs"])
    func legs(_ name: String) throws {
        let answer = try #require(try RecordedAnswer.all().first { $0.name == name })
        let order = try #require(OrderAnswer.order(answer.body))
        #expect(order.legs.map(\.status.text) == ["held", "held"])
        #expect(order.legs.map(\.quantity?.text) == ["2", "2"])
    }
}
