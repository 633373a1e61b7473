import StrictJSON
import TestKit
import Testing
import TradeRecords
import TradingCore

@Suite("A listing of executions")
struct ExecutionListingTests {
    @Test(
        "holds what its scope is named for, newest first",
        arguments: [
            (ExecutionScope.successful, ["d-1"]), (.failed, ["d-7", "d-3", "d-2"]), (.pending, ["d-6", "d-5", "d-4"]),
            (.unknown, ["d-6"]), (.recent, ["d-7", "d-6", "d-5", "d-4", "d-3", "d-2", "d-1"]),
        ])
    func scopes(_ scope: ExecutionScope, _ expected: [String]) throws {
        let trades = try RecordedTrades.ofEveryKind()
        #expect(try trades.decisions(ExecutionFilter(scope: scope)) == expected)
    }

    @Test("ends with the last 24 hours where recent ones are asked for")
    func recent() throws {
        let trades = try RecordedTrades.ofEveryKind()
        let filter = ExecutionFilter(scope: .recent)
        #expect(try trades.decisions(filter, at: "2026-11-23T14:00:04Z") == ["d-7", "d-6", "d-5", "d-4"])
        #expect(try trades.decisions(filter, at: "2026-11-23T14:00:08Z") == [])
    }

    @Test("adds its filters up")
    func filters() throws {
        let trades = try RecordedTrades.ofEveryKind()
        #expect(try trades.decisions(ExecutionFilter(status: .accepted)) == ["d-5"])
        #expect(try trades.decisions(ExecutionFilter(symbol: "MSFT")) == ["d-6"])
        #expect(try trades.decisions(ExecutionFilter(strategy: "momentum")) == ["d-5", "d-4", "d-3"])
        #expect(try trades.decisions(ExecutionFilter(scope: .failed, strategy: "momentum")) == ["d-3"])
        #expect(try trades.decisions(ExecutionFilter(scope: .pending, symbol: "AAPL")) == ["d-5", "d-4"])
        #expect(try trades.decisions(ExecutionFilter(scope: .pending, strategy: "pairs")) == ["d-6"])
        #expect(try trades.decisions(ExecutionFilter(symbol: "AAPL", strategy: "mean-rev")) == ["d-2", "d-1"])
        #expect(try trades.decisions(ExecutionFilter(scope: .successful, status: .rejected)) == [])
        #expect(try trades.decisions(ExecutionFilter(since: trades.time("2026-11-22T14:00:06Z"))) == ["d-7", "d-6"])
        #expect(try trades.decisions(ExecutionFilter(limit: 2)) == ["d-7", "d-6"])
        #expect(try trades.decisions(ExecutionFilter(symbol: "'; DROP TABLE trade_decisions; --")) == [])
    }

    @Test("goes on over its pages without a gap or a repetition", arguments: [nil, "s"], [nil, 1001])
    func pages(_ strategy: String?, _ limit: Int?) throws {
        let trades = try RecordedTrades()
        for number in 1...1203 { try trades.history.execute("d-\(number)") }
        let expected = (1...1203).reversed().prefix(limit ?? .max).map { "d-\($0)" }
        #expect(try trades.decisions(ExecutionFilter(strategy: strategy, limit: limit)) == expected)
    }

    @Test("gives every column under its own name, amounts as text, and both payloads with every byte")
    func json() throws {
        let trades = try RecordedTrades()
        let answer = TradeHistory.order("o-1", client: "s:d-1", status: "filled", filled: "10", price: "150.2500000001")
        try trades.history.execute("d-1", #""rationale":{"signal_strength":8.50}"#, ending: .order(answer))
        var texts: [String] = []
        let now = try trades.time("2026-11-22T15:00:00Z")
        try trades.records().forEachExecution(ExecutionFilter(includesPayloads: true), at: now) { entry in
            var writer = JSONWriter()
            entry.write(to: &writer, withPayloads: true)
            texts.append(writer.text)
        }
        #expect(texts.count == 1)
        let entry = try JSONValue(parsing: try #require(texts.first))
        let expected: [(String, JSONValue)] = [
            ("execution_id", "execution-1"), ("client_order_id", "s:d-1"), ("attempt_number", 1),
            ("status", "filled"), ("certainty", "answered"), ("alpaca_order_id", "o-1"), ("http_status_code", 200),
            ("error_message", nil), ("filled_quantity", "10"), ("filled_avg_price", "150.2500000001"),
            ("commission", "0"), ("submitted_at", "2026-11-22T14:00:01.000000Z"), ("rejected_at", nil),
            ("created_at", "2026-11-22T14:00:01.000000Z"), ("decision_id", "d-1"), ("strategy_name", "s"),
            ("symbol", "AAPL"), ("side", "buy"), ("quantity", "10"), ("notional", nil), ("order_type", "market"),
            ("time_in_force", "day"), ("rationale", .object([.init("signal_strength", .number("8.50"))])),
            ("failure_reason", nil), ("decision_status", "executed"), ("sender", "127.0.0.1"),
        ]
        for (name, value) in expected { #expect(entry[name] == value, "\(name)") }
        let request = try JSONValue(parsing: try #require(entry["request_payload"]?["body"]?.string))
        #expect(request["client_order_id"] == "s:d-1")
        #expect(entry["request_payload"]?["type"] == "ApiRequest")
        #expect(entry["response_payload"]?["body"] == .string(answer))
        #expect(entry["response_payload"]?["headers"]?["x-request-id"] == "request-1")
        #expect(entry["response_payload"]?["synthetic"] == false)
    }
}
