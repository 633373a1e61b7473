import StrictJSON
import Testing
import TradingCore

/// What an order to trade says, member by member: what a decision and the text it came from are compared by.
private typealias Meaning = [String: JSONValue]

@Suite("A frame damaged at random")
struct MutatedFrameTests {
    private static let frames = [
        #"{"v":1,"decision_id":"d-17","strategy_name":"mean-rev","symbol":"AAPL","side":"buy","quantity":"100"}"#,
        #"{"v":1,"decision_id":"a:1","strategy_name":"s","symbol":"BTC/USD","side":"sell","quantity":100,"#
            + #""order_type":"stop_limit","limit_price":"99.50","stop_price":"101.25","time_in_force":"gtc","#
            + #""extended_hours":false,"position_intent":"sell_to_close","sequence":12,"valid_for_ms":5000,"#
            + #""rationale":{"signal_strength": 8.5,"tags":["a","b"]}}"#,
        #"{"v":1,"decision_id":"b","strategy_name":"t","symbol":"MSFT","side":"buy","notional":"250.00","#
            + #""order_class":"bracket","take_profit":{"limit_price":"160"},"stop_loss":{"stop_price":"140","#
            + #""limit_price":"139.5"},"expires_at":"2026-11-22T14:30:00.5Z"}"#,
        #"{"v":1,"decision_id":"m","strategy_name":"u","quantity":"2","order_type":"limit","limit_price":"-1.5","#
            + #""order_class":"mleg","legs":[{"symbol":"AAPL261218C1","ratio_qty":1,"side":"buy","#
            + #""position_intent":"buy_to_open"},{"symbol":"AAPL261218C2","ratio_qty":"2","side":"sell"}]}"#,
        #"{"v":1,"decision_id":"t","strategy_name":"w","symbol":"SPY","side":"sell","quantity":"0.5","#
            + #""order_type":"trailing_stop","trail_percent":"1.5","time_in_force":"day","type":null}"#,
    ]

    @Test("never crashes the reader, and where it is taken it means what it says and nothing else", arguments: frames)
    func meansWhatItSays(_ text: String) throws {
        var numbers = SeededNumbers(seed: 20_261_122)
        var taken = 0
        for _ in 0..<10_000 {
            let bytes = mutated(Array(text.utf8), &numbers)
            guard case .success(.decision(let decision)) = RequestFrame.read(bytes) else { continue }
            taken += 1
            let tree = try JSONValue(parsing: bytes, depthLimit: 8)
            let said = String(decoding: bytes, as: UTF8.self)
            #expect(try meaning(of: decision) == meaning(of: tree), "\(said)")
        }
        #expect(taken > 10, "the damage should leave some frames whole")
    }

    private func meaning(of decision: Decision) throws -> Meaning {
        let order = decision.order
        var meaning: Meaning = [
            "decision_id": .string(decision.id.text), "strategy_name": .string(decision.strategy.text),
            "order_type": .string(order.type.rawValue), "time_in_force": .string(order.timeInForce.rawValue),
        ]
        func put(_ key: String, _ text: String?) { if let text { meaning[key] = .string(text) } }
        put("symbol", order.symbol?.text)
        put("side", order.side?.rawValue)
        switch order.amount {
        case .quantity(let quantity): put("quantity", quantity.value.text)
        case .notional(let notional): put("notional", notional.value.text)
        }
        put("limit_price", order.limitPrice?.value.text)
        put("stop_price", order.stopPrice?.value.text)
        put("trail_price", order.trailPrice?.value.text)
        put("trail_percent", order.trailPercent?.value.text)
        put("position_intent", order.positionIntent?.rawValue)
        put("order_class", order.orderClass?.rawValue)
        put("take_profit", order.takeProfit?.limitPrice.value.text)
        put("stop_loss", order.stopLoss.map { "\($0.stopPrice.value) \($0.limitPrice?.value.text ?? "")" })
        put("extended_hours", order.extendedHours.map { "\($0)" })
        put("sequence", decision.sequence.map { "\($0)" })
        switch decision.deadline {
        case .at(let moment): put("expires_at", "\(moment.nanoseconds)")
        case .after(let duration): put("valid_for_ms", "\(duration.count / 1000)")
        case nil: break
        }
        if let rationale = decision.rationale { meaning["rationale"] = try JSONValue(parsing: rationale) }
        if !order.legs.isEmpty {
            let legs = order.legs.map {
                "\($0.symbol) \($0.ratioQuantity.value) \($0.side?.rawValue ?? "") \($0.positionIntent?.rawValue ?? "")"
            }
            meaning["legs"] = .array(legs.map(JSONValue.string))
        }
        return meaning
    }

    /// The same, read off the tree of the text without the code under test.
    private func meaning(of tree: JSONValue) throws -> Meaning {
        var meaning: Meaning = ["order_type": "market", "time_in_force": "day"]
        for member in try #require(tree.members) where !member.value.isNull {
            let value = member.value
            switch member.key {
            case "v": #expect(value == 1)
            case "quantity", "notional", "sequence", "valid_for_ms": meaning[member.key] = .string(plain(value))
            case "extended_hours": meaning[member.key] = .string(value.text)
            case "order_class": meaning[member.key] = value == "" ? "simple" : value
            case "take_profit": meaning[member.key] = .string(plain(value["limit_price"]))
            case "stop_loss":
                meaning[member.key] = .string("\(plain(value["stop_price"])) \(plain(value["limit_price"]))")
            case "expires_at":
                let moment = try #require(Timestamp(value.string ?? ""))
                meaning[member.key] = .string("\(moment.nanoseconds)")
            case "legs":
                let legs = try #require(value.array).map { leg in
                    ["symbol", "ratio_qty", "side", "position_intent"].map { plain(leg[$0]) }.joined(separator: " ")
                }
                if !legs.isEmpty { meaning[member.key] = .array(legs.map(JSONValue.string)) }
            default: meaning[member.key] = value
            }
        }
        return meaning
    }

    /// The text of a string or the literal of a number; empty for null and absent.
    private func plain(_ value: JSONValue?) -> String {
        guard let value, !value.isNull else { return "" }
        return value.string ?? value.text
    }
}
