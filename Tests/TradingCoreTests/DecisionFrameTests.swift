import Testing
import TradingCore

@Suite("A decision frame")
struct DecisionFrameTests {
    @Test("with only what is required is a market order for the day")
    func defaults() throws {
        let decision = try decision()
        #expect(decision.id.text == "d-17")
        #expect(decision.strategy.text == "mean-rev")
        #expect(decision.clientOrderID.text == "mean-rev:d-17")
        #expect(
            decision.order == OrderTerms(symbol: Symbol("AAPL"), side: .buy, amount: try quantity("100")))
        #expect(decision.order.type == .market)
        #expect(decision.order.timeInForce == .day)
        #expect(decision.deadline == nil)
        #expect(decision.sequence == nil)
        #expect(decision.rationale == nil)
    }

    @Test("may have its members in any order, with any white space")
    func anyOrder() throws {
        let body = """
            { "quantity" : 100 , "side":"buy",\t"symbol":"AAPL",\r
              "strategy_name":"mean-rev","decision_id":"d-17","v":1 }\n
            """
        #expect(try RequestFrame.read(Array(body.utf8)).get() == .decision(decision()))
    }

    @Test("means the same with its letters escaped")
    func escaped() throws {
        #expect(try decision(["symbol": "\"\\u0041APL\""]) == decision())
        let body = String(decoding: frame(), as: UTF8.self).replacing("\"side\"", with: "\"s\\u0069de\"")
        #expect(try RequestFrame.read(Array(body.utf8)).get() == .decision(decision()))
    }

    @Test(
        "takes null for absent",
        arguments: [
            "type", "notional", "order_type", "time_in_force", "limit_price", "stop_price", "trail_price",
            "trail_percent", "extended_hours", "position_intent", "order_class", "take_profit", "stop_loss", "legs",
            "expires_at", "valid_for_ms", "sequence", "rationale", "after", "limit",
        ])
    func nullIsAbsent(_ field: String) throws {
        #expect(try decision([field: "null"]) == decision())
    }

    @Test(
        "is refused without what is required, null included",
        arguments: ["decision_id", "strategy_name", "symbol", "side", "quantity"], [nil, "null"])
    func required(_ field: String, _ json: String?) throws {
        let refusal = try refusal([field: json])
        #expect(refusal.code == .badField)
        #expect(refusal.field == field)
        #expect(!refusal.retry)
    }

    @Test(
        "is refused with a member that it does not know, and names it",
        arguments: ["qty", "Symbol", "symbol ", "", "client_order_id", "advanced_instructions", "ünknown"])
    func unknownField(_ field: String) throws {
        let refusal = try refusal([field: "1"])
        #expect(refusal.code == .badField)
        #expect(refusal.field == field)
    }

    @Test("is refused with a member of another request", arguments: ["after", "limit"])
    func memberOfReplay(_ field: String) throws {
        #expect(try refusal([field: "1"]).field == field)
    }

    @Test(
        "is refused where a member is of the wrong kind, and names it",
        arguments: [
            ("type", "1"), ("decision_id", "17"), ("strategy_name", "[]"), ("symbol", "true"), ("side", "{}"),
            ("quantity", "true"), ("quantity", "[100]"), ("quantity", "{\"a\":1}"), ("order_type", "1"),
            ("time_in_force", "false"), ("limit_price", "[]"), ("extended_hours", "\"true\""), ("extended_hours", "1"),
            ("position_intent", "1"), ("order_class", "[]"), ("take_profit", "\"10\""), ("take_profit", "10"),
            ("stop_loss", "[]"), ("legs", "{}"), ("legs", "\"a\""), ("expires_at", "1763822400"),
            ("valid_for_ms", "\"5000\""), ("sequence", "\"1\""), ("sequence", "{}"), ("sequence", "true"),
            ("rationale", "\"because\""), ("rationale", "[1]"), ("rationale", "1"),
        ])
    func wrongKind(_ field: String, _ json: String) throws {
        let refusal = try refusal([field: json])
        #expect(refusal.code == .badField)
        #expect(refusal.field == field || refusal.field?.hasPrefix("\(field).") == true)
    }

    @Test("names the first of several wrong members")
    func firstWrong() throws {
        #expect(try refusal(["sequence": "1.5", "rationale": "1"]).field == "sequence")
    }

    @Test("quotes what a stranger wrote only in part")
    func clipped() throws {
        let long = String(repeating: "x", count: 60_000)
        let unknown = try refusal([long: "1"])
        #expect(unknown.field == String(repeating: "x", count: 100) + "…")
        let number = try refusal(["quantity": "0." + String(repeating: "1", count: 60_000)])
        #expect(number.message.utf8.count < 400)
        let key = "\"\(String(repeating: "y", count: 20_000))\":1"
        let twice = try refusal(["rationale": "{\(key),\(key)}"])
        #expect(twice.code == .badJSON)
        #expect(twice.message.utf8.count < 400)
    }
}

@Suite("The names of a decision")
struct DecisionNameTests {
    @Test(
        "may have all letters of their rule, up to the full length",
        arguments: [
            ("decision_id", "a"), ("decision_id", "AZaz09._:-"), ("decision_id", String(repeating: "d", count: 64)),
            ("strategy_name", "a"), ("strategy_name", "AZaz09._-"),
            ("strategy_name", String(repeating: "s", count: 48)), ("symbol", "A"), ("symbol", "BTC/USD"),
            ("symbol", "BRK.B"), ("symbol", "AAPL261218C00150000"), ("symbol", "x-Y.1/2"),
            ("symbol", String(repeating: "S", count: 32)),
        ])
    func taken(_ field: String, _ text: String) throws {
        let decision = try decision([field: "\"\(text)\""])
        let read = ["decision_id": decision.id.text, "strategy_name": decision.strategy.text][field]
        #expect(read ?? decision.order.symbol?.text == text)
    }

    @Test(
        "are refused in any other form",
        arguments: [
            ("decision_id", ""), ("decision_id", String(repeating: "d", count: 65)), ("decision_id", "a b"),
            ("decision_id", "a/b"), ("decision_id", "é"), ("decision_id", "a\\u0000"), ("decision_id", "a|b"),
            ("strategy_name", ""), ("strategy_name", String(repeating: "s", count: 49)), ("strategy_name", "a:b"),
            ("strategy_name", "a|b"), ("strategy_name", "a/b"), ("strategy_name", "mean rev"),
            ("strategy_name", "\\ud83d\\ude00"), ("symbol", ""), ("symbol", String(repeating: "S", count: 33)),
            ("symbol", "A_B"), ("symbol", "A|B"), ("symbol", " AAPL"), ("symbol", "AAPL\\n"), ("symbol", "A:B"),
        ])
    func refused(_ field: String, _ text: String) throws {
        let refusal = try refusal([field: "\"\(text)\""])
        #expect(refusal.code == .badField)
        #expect(refusal.field == field)
    }

    @Test("make a client order id within the 128 characters of the broker")
    func longest() throws {
        let decision = try decision([
            "decision_id": "\"\(String(repeating: "d", count: 64))\"",
            "strategy_name": "\"\(String(repeating: "s", count: 48))\"",
        ])
        #expect(decision.clientOrderID.text.utf8.count == 113)
    }
}

@Suite("The amount of a decision")
struct AmountTests {
    @Test(
        "is a decimal string, kept to the digit",
        arguments: ["0.5", "100", "0.50", "1.000000000", "0.000000001", "1234567890123456789", "100.00"])
    func decimalString(_ text: String) throws {
        guard case .quantity(let quantity) = try decision(["quantity": "\"\(text)\""]).order.amount,
            case .notional(let notional) = try decision(["quantity": nil, "notional": "\"\(text)\""]).order.amount
        else { throw Unexpected(what: "the other amount") }
        #expect(quantity.value.text == text)
        #expect(notional.value.text == text)
    }

    @Test("may be a whole JSON number", arguments: ["100", "1", "1234567890123456789"])
    func wholeNumber(_ literal: String) throws {
        #expect(try decision(["quantity": literal]).order.amount == quantity(literal))
        #expect(try decision(["quantity": nil, "notional": literal]).order.amount == notional(literal))
    }

    @Test(
        "is refused as an unquoted fraction, and the message says to quote it",
        arguments: ["0.1", "100.0", "1e2", "1E+2", "-0.5"], ["quantity", "notional"])
    func unquotedFraction(_ literal: String, _ field: String) throws {
        let refusal = try refusal(["quantity": nil, field: literal])
        #expect(refusal.code == .badField)
        #expect(refusal.field == field)
        #expect(refusal.message.contains("quote it"))
        #expect(refusal.message.contains("\"\(field)\":\"\(literal)\""))
    }

    @Test(
        "is refused where it is no positive decimal of at most nine places",
        arguments: [
            "\"0\"", "\"0.0\"", "\"-1\"", "0", "-5", "\"\"", "\"1e3\"", "\"0.0000000001\"", "\"NaN\"", "\"Infinity\"",
            "\" 1\"", "\"1,000\"", "\"+1\"", "\".5\"", "\"5.\"", "\"007\"", "\"12345678901234567890\"",
            "12345678901234567890", "\"٣\"",
        ], ["quantity", "notional"])
    func noAmount(_ json: String, _ field: String) throws {
        let refusal = try refusal(["quantity": nil, field: json])
        #expect(refusal.code == .badField)
        #expect(refusal.field == field)
    }

    @Test("is refused when there are two")
    func both() throws {
        let refusal = try refusal(["notional": "\"10\""])
        #expect(refusal.code == .badField)
        #expect(refusal.field == "notional")
    }
}

@Suite("The words of a decision")
struct DecisionWordTests {
    @Test(
        "are taken from the closed lists",
        arguments: [
            ("side", ["buy", "sell"]), ("time_in_force", ["day", "gtc", "opg", "cls", "ioc", "fok"]),
            ("position_intent", ["buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"]),
            ("order_class", ["", "simple"]), ("order_type", ["market"]),
        ])
    func taken(_ field: String, _ words: [String]) throws {
        for word in words { _ = try decision([field: "\"\(word)\""]) }
    }

    @Test(
        "are refused otherwise, and the message lists them",
        arguments: [
            ("side", "short", "buy, sell"), ("side", "BUY", "buy, sell"), ("side", "", "buy, sell"),
            ("order_type", "stop-limit", "market, limit, stop, stop_limit, trailing_stop"),
            ("time_in_force", "gtd", "day, gtc, opg, cls, ioc, fok"),
            ("position_intent", "open", "buy_to_open, buy_to_close, sell_to_open, sell_to_close"),
            ("order_class", "spread", "simple, bracket, oco, oto, mleg"),
        ])
    func refused(_ field: String, _ word: String, _ list: String) throws {
        let refusal = try refusal([field: "\"\(word)\""])
        #expect(refusal.code == .badField)
        #expect(refusal.field == field)
        #expect(refusal.message.contains(list))
    }

    @Test("an empty order class is a simple one, as at the broker")
    func emptyClass() throws {
        #expect(try decision(["order_class": "\"\""]) == decision(["order_class": "\"simple\""]))
    }

    @Test("extended hours are true or false", arguments: [true, false])
    func extendedHours(_ value: Bool) throws {
        #expect(try decision(["extended_hours": "\(value)"]).order.extendedHours == value)
    }
}

@Suite("The prices of a decision")
struct PriceTests {
    /// An order type with the price fields that it needs.
    private static let needs: [(type: String, prices: [String])] = [
        ("market", []), ("limit", ["limit_price"]), ("stop", ["stop_price"]),
        ("stop_limit", ["limit_price", "stop_price"]), ("trailing_stop", ["trail_price"]),
        ("trailing_stop", ["trail_percent"]),
    ]

    private func members(_ type: String, _ prices: [String]) -> [UInt8] {
        let base = String(decoding: frame(["order_type": "\"\(type)\""]), as: UTF8.self).dropLast()
        return Array((base + prices.map { ",\"\($0)\":\"1.50\"" }.joined() + "}").utf8)
    }

    @Test("are exactly those that the order type needs", arguments: needs)
    func exactly(_ type: String, _ prices: [String]) throws {
        _ = try RequestFrame.read(members(type, prices)).get()
        let all = ["limit_price", "stop_price", "trail_price", "trail_percent"]
        for surplus in all where !prices.contains(surplus) {
            let refusal = try refusedFrame(members(type, prices + [surplus])).refusal
            #expect(refusal.code == .badField)
            #expect(refusal.field?.hasSuffix("_price") == true || refusal.field == "trail_percent")
            if type != "trailing_stop" { #expect(refusal.field == surplus) }
        }
        for missing in prices {
            let refusal = try refusedFrame(members(type, prices.filter { $0 != missing })).refusal
            #expect(refusal.code == .badField)
            #expect(refusal.field == (missing == "trail_percent" ? "trail_price" : missing))
        }
    }

    @Test("keep their digits")
    func digits() throws {
        let order = try decision([
            "order_type": "\"stop_limit\"", "limit_price": "\"150.50\"", "stop_price": "\"0.000000001\"",
        ]).order
        #expect(order.limitPrice?.value.text == "150.50")
        #expect(order.stopPrice?.value.text == "0.000000001")
    }

    @Test(
        "are positive decimal strings",
        arguments: ["150", "150.5", "\"0\"", "\"-1\"", "\"1.0000000001\"", "\"\"", "\"abc\"", "true"])
    func refused(_ json: String) throws {
        let refusal = try refusal(["order_type": "\"limit\"", "limit_price": json])
        #expect(refusal.code == .badField)
        #expect(refusal.field == "limit_price")
    }

    @Test("say to quote a bare number, whole ones included")
    func quoted() throws {
        #expect(
            try refusal(["order_type": "\"limit\"", "limit_price": "150"]).message.contains("\"limit_price\":\"150\""))
    }
}

@Suite("The class of a decision's order")
struct OrderClassTests {
    private let bothExits: KeyValuePairs<String, String?> = [
        "order_class": "\"bracket\"", "take_profit": "{\"limit_price\":\"160\"}",
        "stop_loss": "{\"stop_price\":\"140\",\"limit_price\":\"139.50\"}",
    ]

    @Test("bracket has both exits")
    func bracket() throws {
        let order = try decision(bothExits).order
        #expect(order.takeProfit?.limitPrice.value.text == "160")
        #expect(order.stopLoss?.stopPrice.value.text == "140")
        #expect(order.stopLoss?.limitPrice?.value.text == "139.50")
        #expect(
            try refusal(["order_class": "\"bracket\"", "take_profit": "{\"limit_price\":\"160\"}"]).field
                == "stop_loss")
        #expect(
            try refusal(["order_class": "\"bracket\"", "stop_loss": "{\"stop_price\":\"1\"}"]).field == "take_profit")
    }

    @Test("oco has both exits, is a limit order, and need not say its limit twice")
    func oneCancelsOther() throws {
        let exits = ",\"take_profit\":{\"limit_price\":\"160\"},\"stop_loss\":{\"stop_price\":\"140\"}}"
        func body(_ more: String) -> [UInt8] {
            let base = String(decoding: frame(["side": "\"sell\"", "order_class": "\"oco\""]), as: UTF8.self)
            return Array((base.dropLast() + more + exits).utf8)
        }
        _ = try RequestFrame.read(body(",\"order_type\":\"limit\"")).get()
        _ = try RequestFrame.read(body(",\"order_type\":\"limit\",\"limit_price\":\"160\"")).get()
        #expect(try refusedFrame(body("")).refusal.field == "order_type")
        #expect(
            try refusal(["order_class": "\"oco\"", "order_type": "\"limit\"", "stop_loss": "{\"stop_price\":\"1\"}"])
                .field == "take_profit")
    }

    @Test("oto has exactly one exit")
    func oneTriggersOther() throws {
        _ = try decision(["order_class": "\"oto\"", "take_profit": "{\"limit_price\":\"160\"}"])
        _ = try decision(["order_class": "\"oto\"", "stop_loss": "{\"stop_price\":\"140\"}"])
        #expect(try refusal(["order_class": "\"oto\""]).code == .badField)
        #expect(
            try refusal([
                "order_class": "\"oto\"", "take_profit": "{\"limit_price\":\"160\"}",
                "stop_loss": "{\"stop_price\":\"140\"}",
            ]).code == .badField)
    }

    @Test(
        "is needed for an exit, since the broker would ignore it and leave the position unprotected",
        arguments: [nil, "\"simple\"", "\"\""])
    func exitsNeedClass(_ orderClass: String?) throws {
        #expect(
            try refusal(["order_class": orderClass, "take_profit": "{\"limit_price\":\"160\"}"]).field
                == "take_profit")
        #expect(
            try refusal(["order_class": orderClass, "stop_loss": "{\"stop_price\":\"140\"}"]).field == "stop_loss")
    }

    @Test(
        "has exits of known members and positive prices",
        arguments: [
            ("take_profit", "{}", "take_profit.limit_price"),
            ("take_profit", "{\"limit_price\":160}", "take_profit.limit_price"),
            ("take_profit", "{\"limit_price\":\"0\"}", "take_profit.limit_price"),
            ("take_profit", "{\"limit_price\":\"1\",\"client_order_id\":\"x\"}", "take_profit.client_order_id"),
            ("stop_loss", "{\"limit_price\":\"1\"}", "stop_loss.stop_price"),
            ("stop_loss", "{\"stop_price\":\"-1\"}", "stop_loss.stop_price"),
            ("stop_loss", "{\"stop_price\":\"1\",\"limit_price\":\"0\"}", "stop_loss.limit_price"),
            ("stop_loss", "{\"stop_price\":\"1\",\"trail\":\"0\"}", "stop_loss.trail"),
        ])
    func exitMembers(_ field: String, _ json: String, _ blamed: String) throws {
        let refusal = try refusal(["order_class": "\"oto\"", field: json])
        #expect(refusal.code == .badField)
        #expect(refusal.field == blamed)
    }
}

@Suite("A multi-leg decision")
struct MultiLegTests {
    private static let leg = "{\"symbol\":\"AAPL261218C00150000\",\"ratio_qty\":\"1\",\"side\":\"buy\"}"

    /// A multi-leg frame with two legs, with some members changed.
    private func body(legs: [String] = [leg, leg], _ more: String = "") -> [UInt8] {
        let base = String(
            decoding: frame(["symbol": nil, "side": nil, "quantity": "1", "order_class": "\"mleg\""]), as: UTF8.self)
        return Array((base.dropLast() + ",\"legs\":[" + legs.joined(separator: ",") + "]" + more + "}").utf8)
    }

    @Test("has two to four legs and no symbol or side of its own", arguments: 2...4)
    func legs(_ count: Int) throws {
        let request = try RequestFrame.read(body(legs: Array(repeating: Self.leg, count: count))).get()
        guard case .decision(let decision) = request else { throw Unexpected(what: "\(request)") }
        #expect(decision.order.symbol == nil)
        #expect(decision.order.side == nil)
        #expect(decision.order.legs.count == count)
        #expect(decision.order.legs.first?.ratioQuantity.value.text == "1")
    }

    @Test("is refused with fewer or more legs", arguments: [0, 1, 5, 800])
    func wrongCount(_ count: Int) throws {
        #expect(try refusedFrame(body(legs: Array(repeating: Self.leg, count: count))).refusal.field == "legs")
    }

    @Test(
        "is refused with what stands in the legs only, or not at all",
        arguments: [
            (",\"symbol\":\"AAPL\"", "symbol"), (",\"side\":\"buy\"", "side"),
            (",\"take_profit\":{\"limit_price\":\"1\"}", "take_profit"),
        ])
    func notItsOwn(_ more: String, _ field: String) throws {
        #expect(try refusedFrame(body(more)).refusal.field == field)
    }

    @Test("is refused with a notional amount")
    func notionalAmount() throws {
        let text = String(decoding: body(), as: UTF8.self).replacing("\"quantity\":1", with: "\"notional\":1")
        #expect(try refusedFrame(Array(text.utf8)).refusal.field == "notional")
    }

    @Test("may have a negative limit, which is a credit")
    func credit() throws {
        _ = try RequestFrame.read(body(",\"order_type\":\"limit\",\"limit_price\":\"-1.25\"")).get()
    }

    @Test(
        "is refused with a leg that is not whole",
        arguments: [
            ("{\"ratio_qty\":\"1\",\"side\":\"buy\"}", "legs.symbol"),
            ("{\"symbol\":\"a b\",\"ratio_qty\":\"1\",\"side\":\"buy\"}", "legs.symbol"),
            ("{\"symbol\":\"A\",\"side\":\"buy\"}", "legs.ratio_qty"),
            ("{\"symbol\":\"A\",\"ratio_qty\":\"0\",\"side\":\"buy\"}", "legs.ratio_qty"),
            ("{\"symbol\":\"A\",\"ratio_qty\":\"1.5\",\"side\":\"buy\"}", "legs.ratio_qty"),
            ("{\"symbol\":\"A\",\"ratio_qty\":1.5,\"side\":\"buy\"}", "legs.ratio_qty"),
            ("{\"symbol\":\"A\",\"ratio_qty\":\"1\"}", "legs.side"),
            ("{\"symbol\":\"A\",\"ratio_qty\":\"1\",\"side\":\"long\"}", "legs.side"),
            ("{\"symbol\":\"A\",\"ratio_qty\":\"1\",\"position_intent\":\"x\"}", "legs.position_intent"),
            ("{\"symbol\":\"A\",\"ratio_qty\":\"1\",\"side\":\"buy\",\"price\":1}", "legs.price"), ("null", "legs"),
            ("1", "legs"),
        ])
    func badLeg(_ leg: String, _ field: String) throws {
        let refusal = try refusedFrame(body(legs: [Self.leg, leg])).refusal
        #expect(refusal.code == .badField)
        #expect(refusal.field == field)
    }

    @Test("is the only kind that has legs")
    func onlyKind() throws {
        #expect(try refusal(["legs": "[\(Self.leg),\(Self.leg)]"]).field == "legs")
    }
}

@Suite("The deadline of a decision")
struct RequestedDeadlineTests {
    @Test(
        "is a moment in UTC, in both of the ways that RFC 3339 writes it",
        arguments: [
            "2026-11-22T14:30:00Z", "2026-11-22T14:30:00.000Z", "2026-11-22T14:30:00+00:00",
            "2026-11-22T14:30:00.000000+00:00",
        ])
    func moment(_ text: String) throws {
        let moment = try #require(Timestamp("2026-11-22T14:30:00Z"))
        #expect(try decision(["expires_at": "\"\(text)\""]).deadline == .at(moment))
    }

    @Test("is counted in milliseconds from acceptance", arguments: [1, 5000, 315_360_000_000] as [Int64])
    func milliseconds(_ count: Int64) throws {
        #expect(try decision(["valid_for_ms": "\(count)"]).deadline == .after(.milliseconds(count)))
    }

    @Test(
        "is refused otherwise",
        arguments: [
            ("expires_at", "\"2026-11-22T14:30:00-05:00\""), ("expires_at", "\"2026-11-22T14:30:00-00:00\""),
            ("expires_at", "\"2026-11-22T14:30:00\""), ("expires_at", "\"tomorrow\""), ("expires_at", "\"\""),
            ("expires_at", "\"2026-02-30T00:00:00Z\""), ("expires_at", "\"99999-01-01T00:00:00Z\""),
            ("valid_for_ms", "0"), ("valid_for_ms", "-1"), ("valid_for_ms", "1.5"), ("valid_for_ms", "1e3"),
            ("valid_for_ms", "315360000001"), ("valid_for_ms", "9223372036854775808"),
            ("valid_for_ms", "99999999999999999999999999"),
        ])
    func refused(_ field: String, _ json: String) throws {
        let refusal = try refusal([field: json])
        #expect(refusal.code == .badField)
        #expect(refusal.field == field)
    }

    @Test("is one of the two, not both")
    func both() throws {
        #expect(
            try refusal(["expires_at": "\"2026-11-22T14:30:00Z\"", "valid_for_ms": "1"]).field == "valid_for_ms")
    }
}

@Suite("The counter and the rationale of a decision")
struct SequenceAndRationaleTests {
    @Test("the counter counts from 1", arguments: [1, 2, Int64.max])
    func sequence(_ value: Int64) throws {
        #expect(try decision(["sequence": "\(value)"]).sequence == value)
    }

    @Test(
        "the counter is refused otherwise",
        arguments: ["0", "-1", "1.0", "1.5", "1e0", "9223372036854775808", "\"1\""])
    func badSequence(_ json: String) throws {
        let refusal = try refusal(["sequence": json])
        #expect(refusal.code == .badField)
        #expect(refusal.field == "sequence")
    }

    @Test(
        "the rationale is kept to the byte",
        arguments: [
            "{}", "{\"signal_strength\": 8.5}", "{ \"a\" : [ 1.10 , 1e400, null ]\n}", "{\"\\u0041\":\"é\\/\"}",
            "{\"b\":{\"a\":1},\"a\":{\"b\":0.1}}",
        ])
    func rationale(_ json: String) throws {
        #expect(try decision(["rationale": json]).rationale?.utf8.elementsEqual(json.utf8) == true)
    }
}

@Suite("A body that is not one JSON object")
struct UnreadableBodyTests {
    @Test(
        "is refused as such",
        arguments: [
            "", " ", "null", "1", "\"a\"", "[]", "[{\"v\":1}]", "{", "{\"v\":1", "{\"v\":1}}", "{\"v\":1} {}",
            "{\"v\":1,}", "{'v':1}", "{\"v\":01}", "{v:1}", "{\"v\":1 \"a\":2}", "\u{FEFF}{\"v\":1}", "{\"v\":}",
        ])
    func notJSON(_ text: String) throws {
        let refused = try refusedFrame(Array(text.utf8))
        #expect(refused.refusal.code == .badJSON)
        #expect(refused.decisionID == nil)
    }

    @Test(
        "is refused with numbers that JSON does not have",
        arguments: ["NaN", "Infinity", "-Infinity", "nan", "+1", "0x10", "1_000", ".5", "5."],
        ["quantity", "sequence", "rationale"])
    func notNumbers(_ literal: String, _ field: String) throws {
        let json = field == "rationale" ? "{\"a\":\(literal)}" : literal
        #expect(try refusal([field: json]).code == .badJSON)
    }

    @Test(
        "is refused with a key that stands twice, at any depth",
        arguments: [
            ("side", "\"sell\",\"side\":\"buy\""), ("side", "\"sell\",\"s\\u0069de\":\"buy\""),
            ("side", "null,\"side\":\"buy\""), ("rationale", "{\"a\":1,\"a\":1}"),
            ("rationale", "{\"x\":{\"y\":[{\"a\":1,\"\\u0061\":2}]}}"),
            ("take_profit", "{\"limit_price\":\"1\",\"limit_price\":\"2\"}"),
            ("legs", "[{\"symbol\":\"A\",\"symbol\":\"B\"}]"), ("symbol", "{\"a\":1,\"a\":2}"),
        ])
    func duplicateKeys(_ field: String, _ json: String) throws {
        let refusal = try refusal([field: json])
        #expect(refusal.code == .badJSON)
        #expect(refusal.message.contains("stands twice"))
    }

    @Test("takes keys for different that are composed differently, escaped or not, few or many")
    func composedKeys() throws {
        _ = try decision(["rationale": "{\"\u{E9}\":1,\"e\u{301}\":2}"])
        _ = try decision(["rationale": "{\"\\u00e9\":1,\"e\u{301}\":2}"])
        let many = (0..<20).map { "\"k\($0)\":0," }.joined()
        _ = try decision(["rationale": "{\(many)\"\u{E9}\":1,\"e\u{301}\":2}"])
    }

    @Test("is taken at eight levels and refused at nine")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "{\"a\":", count: levels) + "1" + String(repeating: "}", count: levels)
        }
        _ = try decision(["rationale": nested(7)])
        #expect(try refusal(["rationale": nested(8)]).code == .badJSON)
        #expect(try refusal(["rationale": "{\"a\":" + String(repeating: "[", count: 30_000)]).code == .badJSON)
    }

    @Test(
        "is refused when its UTF-8 is broken",
        arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF5, 0x80, 0x80, 0x80]] as [[UInt8]])
    func brokenUTF8(_ bytes: [UInt8]) throws {
        let body = Array("{\"v\":1,\"rationale\":{\"a\":\"".utf8) + bytes + Array("\"}}".utf8)
        #expect(try refusedFrame(body).refusal.code == .badJSON)
    }

    @Test("is taken at 64 KiB and refused beyond")
    func size() throws {
        func padded(to count: Int) -> [UInt8] {
            let frame = frame()
            return frame + Array(repeating: UInt8(ascii: " "), count: count - frame.count)
        }
        _ = try RequestFrame.read(padded(to: 65_536)).get()
        #expect(try refusedFrame(padded(to: 65_537)).refusal.code == .tooLarge)
    }
}

@Suite("The version of a message")
struct VersionTests {
    @Test("is required", arguments: [nil, "null"])
    func missing(_ json: String?) throws {
        let refusal = try refusal(["v": json])
        #expect(refusal.code == .badField)
        #expect(refusal.field == "v")
    }

    @Test("is the number 1 and nothing else", arguments: ["2", "0", "1.0", "\"1\"", "true", "[1]", "1e0", "-1"])
    func other(_ json: String) throws {
        #expect(try refusal(["v": json]).code == .unsupportedVersion)
    }

    @Test("is looked at before everything else, since another version may mean other fields")
    func first() throws {
        #expect(try refusal(["v": "2", "colour": "1", "side": "7"]).code == .unsupportedVersion)
    }
}

@Suite("A refused frame")
struct RefusedFrameTests {
    @Test(
        "names its decision and strategy where they could be read",
        arguments: [("side", "\"hold\""), ("colour", "1"), ("quantity", "0.1"), ("v", "2"), ("rationale", "{\"a\":}")])
    func named(_ field: String, _ json: String) throws {
        let refused = try refusedFrame(frame([field: json]))
        #expect(refused.decisionID == "d-17")
        #expect(refused.strategyName == "mean-rev")
    }

    @Test("names none that breaks its own rule")
    func badNames() throws {
        let refused = try refusedFrame(frame(["decision_id": "\"a b\""]))
        #expect(refused.decisionID == nil)
        #expect(refused.strategyName == "mean-rev")
    }

    @Test("names what was read before the text broke off")
    func truncated() throws {
        let refused = try refusedFrame(Array("{\"v\":1,\"decision_id\":\"d-1\",\"strategy_name\":\"me".utf8))
        #expect(refused.refusal.code == .badJSON)
        #expect(refused.decisionID == "d-1")
        #expect(refused.strategyName == nil)
    }
}

@Suite("A request that is no decision")
struct OtherRequestTests {
    private func read(_ text: String) throws -> Request { try RequestFrame.read(Array(text.utf8)).get() }

    @Test("asks for the outcomes of one strategy, or of all")
    func replay() throws {
        #expect(
            try read("{\"v\":1,\"type\":\"replay\",\"strategy_name\":\"mean-rev\",\"after\":17,\"limit\":500}")
                == .replay(ReplayRequest(strategy: StrategyName("mean-rev"), after: 17, limit: 500)))
        #expect(
            try read("{\"v\":1,\"type\":\"replay\",\"after\":0}") == .replay(ReplayRequest(strategy: nil, after: 0)))
    }

    @Test("gets at most as many outcomes as the limit allows", arguments: [(1, 1), (501, 500), (Int64.max, 500)])
    func replayLimit(_ asked: Int64, _ got: Int) throws {
        #expect(
            try read("{\"v\":1,\"type\":\"replay\",\"after\":\(Int64.max),\"limit\":\(asked)}")
                == .replay(ReplayRequest(strategy: nil, after: .max, limit: got)))
    }

    @Test("asks for the status, or just whether anybody is there")
    func statusAndPing() throws {
        #expect(try read("{\"v\":1,\"type\":\"status\"}") == .status)
        #expect(try read("{\"type\":\"ping\",\"v\":1,\"after\":null}") == .ping)
    }

    @Test(
        "is refused with what does not belong to it",
        arguments: [
            ("\"type\":\"replay\"", "after"), ("\"type\":\"replay\",\"after\":-1", "after"),
            ("\"type\":\"replay\",\"after\":1.5", "after"), ("\"type\":\"replay\",\"after\":\"1\"", "after"),
            ("\"type\":\"replay\",\"after\":1,\"limit\":0", "limit"),
            ("\"type\":\"replay\",\"after\":1,\"limit\":-3", "limit"),
            ("\"type\":\"replay\",\"after\":1,\"strategy_name\":\"a b\"", "strategy_name"),
            ("\"type\":\"replay\",\"after\":1,\"symbol\":\"AAPL\"", "symbol"),
            ("\"type\":\"status\",\"after\":1", "after"), ("\"type\":\"status\",\"x\":1", "x"),
            ("\"type\":\"ping\",\"decision_id\":\"d\"", "decision_id"), ("\"type\":\"decision\"", "type"),
            ("\"type\":\"\"", "type"), ("\"type\":\"Replay\"", "type"), ("\"type\":7", "type"),
        ])
    func refused(_ members: String, _ field: String) throws {
        let refusal = try refusedFrame(Array("{\"v\":1,\(members)}".utf8)).refusal
        #expect(refusal.code == .badField)
        #expect(refusal.field == field)
    }

    @Test("needs a version like every message", arguments: ["replay", "status", "ping"])
    func version(_ type: String) throws {
        #expect(try refusedFrame(Array("{\"type\":\"\(type)\"}".utf8)).refusal.field == "v")
        #expect(
            try refusedFrame(Array("{\"v\":3,\"type\":\"\(type)\"}".utf8)).refusal.code == .unsupportedVersion)
    }
}
