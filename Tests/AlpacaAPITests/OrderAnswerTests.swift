import AlpacaAPI
import Testing
import TradingCore

@Suite("An answer that shows an order")
struct OrderAnswerTests {
    private func shown(_ more: String) -> BrokerOrder? {
        OrderAnswer.order(Array("{\"id\":\"o-1\",\"status\":\"new\"\(more)}".utf8))
    }

    @Test("is read with nothing but id and status")
    func bare() throws {
        let order = try #require(shown(""))
        #expect(order == BrokerOrder(id: "o-1", clientOrderID: "", status: OrderStatus("new")))
    }

    @Test("may have members that nobody knows, of any kind")
    func unknownMembers() {
        #expect(shown(#","usd":{"a":[1,{}]},"expired_at ":null,"x":-1.5e300,"":true"#) == shown(""))
    }

    @Test(
        "has its amounts as strings or as numbers, exactly as written",
        arguments: ["0.057436865", "1.0", "71636.528", "123.123456789012345678", "400.00", "12345678901234"])
    func amounts(_ text: String) throws {
        for json in [text, "\"\(text)\""] {
            let more =
                #","qty":\#(json),"notional":\#(json),"filled_qty":\#(json),"filled_avg_price":\#(json),"commission":\#(json)"#
            let order = try #require(shown(more))
            #expect(order.quantity?.text == text)
            #expect(order.notional?.text == text)
            #expect(order.filledQuantity?.text == text)
            #expect(order.filledAveragePrice?.text == text)
            #expect(order.commission?.text == text)
        }
    }

    @Test("has no fill known where the quantity is null or absent", arguments: ["", ",\"filled_qty\":null"])
    func noFill(_ more: String) throws {
        #expect(try #require(shown(more)).filledQuantity == nil)
    }

    @Test("survives members of a kind that was never seen")
    func oddKinds() throws {
        let odd = #","symbol":7,"side":[],"qty":{},"notional":true,"updated_at":12,"replaced_by":{},"legs":"none""#
        #expect(shown(odd) == shown(""))
        #expect(try #require(shown(#","legs":[null,7,{"id":"l"},{"id":"l","status":"held"}]"#)).legs.map(\.id) == ["l"])
    }

    @Test(
        "is unreadable where a leg that is left out shows a fill, or something that may be one",
        arguments: [
            #"{"id":"l","status":"filled","filled_qty":"1e2"}"#, #"{"id":"l","filled_qty":"7"}"#,
            #"{"status":"filled","filled_qty":7}"#,
            #"{"id":"l","status":"held","legs":[{"id":"m","filled_qty":true}]}"#,
        ])
    func unreadableLeg(_ leg: String) {
        #expect(shown(",\"legs\":[\(leg)]") == nil)
    }

    @Test("is readable without a leg that is no order and shows no fill")
    func legWithoutFill() {
        #expect(shown(#","legs":[{"id":"l","filled_qty":"0"},{"status":"held","filled_qty":null}]"#) == shown(""))
    }

    @Test("takes empty names for none, as a multi-leg parent has them")
    func emptyNames() throws {
        #expect(shown(#","symbol":"","side":"","replaced_by":"""#) == shown(""))
    }

    @Test("may nest legs in legs, and is unreadable in an abyss of them")
    func deepLegs() {
        func nested(_ levels: Int) -> [UInt8] {
            let open = String(repeating: #"{"id":"o","status":"new","legs":["#, count: levels)
            return Array((open + String(repeating: "]}", count: levels)).utf8)
        }
        #expect(OrderAnswer.order(nested(16)) != nil)
        #expect(OrderAnswer.order(nested(17)) == nil)
        #expect(OrderAnswer.order(nested(5000)) == nil)
    }

    @Test("is readable however its times are written, without those that are none")
    func times() throws {
        let order = try #require(shown(#","updated_at":"2026-11-14T10:10:18.5-05:00","filled_at":"soon""#))
        #expect(order.updatedAt == Timestamp("2026-11-14T15:10:18.5Z"))
        #expect(order.filledAt == nil)
    }
}

@Suite("A listing of orders")
struct ListingTests {
    @Test("gives each order with its own bytes, as they came")
    func ownBytes() throws {
        let first = #"{ "id":"a", "status":"new", "legs":[{"id":"l","status":"held"}] }"#
        let second = #"{"id":"b","status":"filled","filled_qty":"1.50"}"#
        let listing = try #require(OrderAnswer.listing(Array(" [ \(first) ,\n\(second)] ".utf8)))
        #expect(listing.map(\.order.id) == ["a", "b"])
        #expect(listing.map { String(decoding: $0.bytes, as: UTF8.self) } == [first, second])
        #expect(listing.map { OrderAnswer.order($0.bytes) } == listing.map(\.order))
    }

    @Test("may be empty")
    func empty() throws {
        #expect(try #require(OrderAnswer.listing(Array("[]".utf8))).isEmpty)
    }

    @Test(
        "leaves out what is no readable order, and keeps the others",
        arguments: [
            "1", "null", "[]", "{}", #"{"id":"x"}"#, #"{"id":"x","status":""}"#,
            #"{"id":"x","status":"canceled","filled_qty":"1e2"}"#,
        ])
    func unreadableAmongOthers(_ odd: String) throws {
        let order = #"{"id":"a","status":"new"}"#
        let listing = try #require(OrderAnswer.listing(Array("[\(odd),\(order),\(odd)]".utf8)))
        #expect(listing.map(\.order.id) == ["a"])
    }

    @Test(
        "is none where the bytes are no listing",
        arguments: ["", "{}", "null", "[1,]", #"[{"id":"a","status":"new"}"#, "[]]", #"[{"id":"a","id":"b"}]"#])
    func none(_ text: String) {
        #expect(OrderAnswer.listing(Array(text.utf8)) == nil)
    }
}
