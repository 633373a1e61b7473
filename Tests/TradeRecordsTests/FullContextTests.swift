import StrictJSON
import TestKit
import Testing
import TradeRecords
import TradingCore

@Suite("The full context of a decision")
struct FullContextTests {
    /// A bracket order with two legs, and a decision of another strategy with the same id.
    private func trades() throws -> RecordedTrades {
        let trades = try RecordedTrades()
        let legs =
            #","legs":[{"id":"leg-1","client_order_id":"x1","status":"new","symbol":"AAPL","side":"sell","qty":"10"},"#
            + #"{"id":"leg-2","client_order_id":"x2","status":"held","symbol":"AAPL","side":"sell","qty":"10"}]"#
        let order = TradeHistory.order(
            "o-1", client: "a:d-1", status: "filled", filled: "10", price: "150.25", more: legs)
        try trades.history.execute("d-1", strategy: "a", ending: .order(order))
        try trades.history.execute("d-1", strategy: "b", ending: .lost("timeout"))
        try trades.history.refuse("d-2:x", strategy: "b")
        return trades
    }

    @Test(
        "is found by the order's id, a leg's, the client order id and the execution's",
        arguments: ["o-1", "leg-1", "leg-2", "a:d-1", "execution-1"])
    func found(_ id: String) throws {
        let contexts = try trades().records().fullContexts(of: id)
        #expect(contexts.map(\.decision.strategyName) == ["a"])
        let context = try #require(contexts.first)
        #expect(context.decision.decisionID == "d-1")
        #expect(context.execution?.alpacaOrderID == "o-1")
        #expect(context.payloads.map { context.role(of: $0) } == [.request, .response])
        #expect(context.orders.map(\.alpacaOrderID) == ["o-1", "leg-1", "leg-2"])
        #expect(context.orders.map(\.parentOrderID) == [nil, "o-1", "o-1"])
        #expect(context.outcomes.map(\.seq) == [1])
    }

    @Test("is one for each strategy that used a decision's id")
    func several() throws {
        #expect(try trades().records().fullContexts(of: "d-1").map(\.decision.strategyName) == ["a", "b"])
    }

    @Test("of a decision that was never sent has no execution", arguments: ["d-2:x", "b:d-2:x"])
    func neverSent(_ id: String) throws {
        let context = try #require(try trades().records().fullContexts(of: id).first)
        #expect(context.decision.failureReason == "expired")
        #expect(context.execution == nil)
        #expect(context.payloads.isEmpty)
        #expect(context.outcomes.count == 1)
    }

    @Test("is none for an id that nothing has", arguments: ["", "d-3", "a:", ":d-1", "b:d-2", "' OR 1=1 --"])
    func nothing(_ id: String) throws {
        #expect(try trades().records().fullContexts(of: id).isEmpty)
    }

    @Test("is one JSON object with the rows as they stand")
    func json() throws {
        let context = try #require(try trades().records().fullContexts(of: "o-1").first)
        var writer = JSONWriter()
        context.write(to: &writer)
        let value = try JSONValue(parsing: writer.text)
        #expect(value.members?.map(\.key) == ["decision", "execution", "payloads", "orders", "outcomes"])
        #expect(value["decision"]?["status"] == "executed")
        #expect(value["execution"]?["filled_avg_price"] == "150.25")
        #expect(value["payloads"]?.array?.map { $0["role"] } == ["request", "response"])
        #expect(value["orders"]?.array?.map { $0["status"] } == ["filled", "new", "held"])
        #expect(value["outcomes"]?.array?.first?["result"] == "success")
    }
}
