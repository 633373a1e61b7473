import AlpacaSimulator
import Foundation
import StrictJSON
import TestKit
import Testing
import TradingCore
import WorkerClient

@Suite("An order that lives on after its answer", .timeLimit(.minutes(20)))
struct FollowedOrderTests {
    private func step(_ after: Int64, _ status: String, _ filled: String? = nil) -> ScriptStep {
        ScriptStep(
            afterMilliseconds: after, status: .init(status), filledQuantity: filled.flatMap { ExactDecimal($0) })
    }

    private func outcomes(of steps: [ScriptStep]) async throws -> [JSONValue] {
        let broker = try await SimulatedAlpaca.start()
        await broker.addScript(Script(symbol: "AAPL", steps: steps))
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide("d-1")
        return try worker.outcomes { $0["final"] == true }
    }

    @Test("and is rejected after it was taken, fails")
    func rejectedLater() async throws {
        let outcomes = try await outcomes(of: [step(300, "rejected")])
        #expect(outcomes.first?["result"] == "pending")
        #expect(outcomes.last?["result"] == "failed")
        #expect(outcomes.last?["execution"]?["status"] == "rejected")
    }

    @Test(
        "and ends with a part filled, keeps that part: executed, partial",
        arguments: ["canceled", "expired"])
    func partlyFilled(_ end: String) async throws {
        let outcomes = try await outcomes(of: [step(100, "partially_filled", "4"), step(600, end)])
        let last = try #require(outcomes.last)
        #expect(outcomes.contains { $0["execution"]?["status"] == "partial_fill" && $0["final"] == false })
        #expect(last["result"] == "partial")
        #expect(last["decision_status"] == "executed")
        #expect(last["execution"]?["status"] == "cancelled")
        #expect(last["execution"]?["filled_quantity"] == "4")
    }

    @Test("and ends with nothing filled, fails", arguments: ["canceled", "expired"])
    func endedUnfilled(_ end: String) async throws {
        let last = try #require(try await outcomes(of: [step(200, end)]).last)
        #expect(last["result"] == "failed")
        #expect(last["execution"]?["status"] == "cancelled")
    }

    @Test("by the exits that hang on it, is over for its decision, and they are recorded until they end")
    func exits() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide(
            "d-1",
            #""symbol":"AAPL","side":"buy","quantity":"10","order_class":"bracket","#
                + #""take_profit":{"limit_price":"300"},"stop_loss":{"stop_price":"100"}"#)
        #expect(try worker.finalOutcome(of: "d-1")["result"] == "success")
        let legs = "SELECT status FROM alpaca_orders WHERE parent_order_id IS NOT NULL ORDER BY status"
        #expect(try worker.texts(legs).count == 2)

        // What happens while no worker runs is found, too.
        worker.kill()
        try await broker.setPrice(ExactDecimal(310), of: "AAPL")
        try worker.restart()
        while try worker.texts(legs) != ["canceled", "filled"] { usleep(100_000) }
        #expect(try worker.number("SELECT sum(legs_open) FROM trade_executions") == 0)
        #expect(try worker.number("SELECT count(*) FROM outcomes WHERE body LIKE '%\"final\":true%'") == 1)
        #expect(await broker.summary().posts == 1)
    }

    @Test("through states that nobody has heard of, is followed all the same")
    func unknownStatus() async throws {
        let outcomes = try await outcomes(of: [step(100, "pondering"), step(700, "filled", "10")])
        #expect(
            outcomes.contains {
                $0["execution"]?["order_status"] == "pondering" && $0["execution"]?["status"] == "submitted"
            })
        #expect(outcomes.last?["result"] == "success")
    }

    @Test("is found in one listing with the others, and by itself when it has left the listing")
    func manyAtOnce() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let client = try worker.newClient()
        for number in 1...40 { try client.send(Array(RunningWorker.decision("d-\(number)").utf8)) }
        var ended: Set<String> = []
        _ = try worker.outcomes { outcome in
            if outcome["final"] == true, let id = outcome["decision_id"]?.string { ended.insert(id) }
            return ended.count == 40
        }
        let requests = await broker.requestCounts()
        let listings = requests.filter { $0.key.contains("GET") && !$0.key.contains("id") }.values.reduce(0, +)
        let singles = requests.filter { $0.key.contains("GET") && $0.key.contains("id") }.values.reduce(0, +)
        #expect(listings > 0)
        #expect(singles < 40, "one request each would have been 40 and more: \(requests)")
    }
}
