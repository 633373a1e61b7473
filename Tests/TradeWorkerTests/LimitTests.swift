import AlpacaSimulator
import Foundation
import StrictJSON
import TestKit
import Testing
import TradingCore

/// A limits file in a directory of its own.
private final class LimitsOnDisk {
    private let directory: TemporaryDirectory
    let path: String

    init(_ text: String) throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/limits.json"
        try write(text)
    }

    /// Puts another file in its place at once, as editors do.
    func write(_ text: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }
}

private let aapl = #""symbol":"AAPL","side":"buy","quantity":"10""#

@Suite("A worker with limits", .timeLimit(.minutes(20)))
struct LimitTests {
    private struct Case: CustomTestStringConvertible {
        let limits: String
        let refused: String
        let word: String
        var testDescription: String { word }

        init(_ word: String, _ limits: String, _ refused: String = aapl) {
            (self.word, self.limits, self.refused) = (word, limits, refused)
        }
    }

    private static let cases = [
        Case("symbol_forbidden", #""all":{"symbols_forbidden":["AAPL"]}"#),
        Case("symbol_not_allowed", #""all":{"symbols":["SPY","KO"]}"#),
        Case("side_not_allowed", #""each":{"sides":["sell"]}"#),
        Case("order_quantity_limit", #""each":{"order_quantity_max":"9.999"}"#),
        Case(
            "order_notional_limit", #""each":{"order_notional_max":"99.99"}"#,
            aapl + #","order_type":"limit","limit_price":"10""#),
        Case("order_notional_limit", #""all":{"order_notional_max":"2000"},"reference_prices":{"AAPL":"201"}"#),
        Case("no_reference_price", #""each":{"order_notional_max":"100000000"}"#),
        Case("orders_per_minute_limit", #""each":{"orders_per_minute":0}"#),
        Case("orders_per_day_limit", #""strategies":{"s":{"orders_per_day":0}}"#),
        Case("notional_per_day_limit", #""all":{"notional_per_day":"10"},"reference_prices":{"AAPL":"201"}"#),
        Case("not_reducing", #""each":{"reduce_only":true}"#),
    ]

    @Test("sends nothing that is against one, and says so by its word and in its figures", arguments: cases)
    private func refuses(_ test: Case) async throws {
        let broker = try await SimulatedAlpaca.start()
        let limits = try LimitsOnDisk("{\"v\":1,\(test.limits)}")
        let worker = try RunningWorker(broker: broker.url, settings: ["--limits", limits.path])
        #expect(try worker.decide("d-1", test.refused)["status"] == "accepted")
        let outcome = try worker.finalOutcome(of: "d-1")
        #expect(outcome["reason"]?.string == test.word, "\(outcome.text)")
        #expect(outcome["message"]?.string?.isEmpty == false)
        #expect(outcome["result"] == "failed")
        #expect(outcome["execution"] == JSONValue.null)
        #expect(try worker.texts("SELECT failure_reason FROM trade_decisions") == [test.word])
        #expect(try worker.texts("SELECT topic FROM outcomes") == ["outcome|s|AAPL|refused"])
        #expect(try worker.number("SELECT count(*) FROM trade_executions") == 0)
        #expect(await broker.summary().posts == 0)
    }

    @Test("sends what is within them all")
    func allows() async throws {
        let broker = try await SimulatedAlpaca.start()
        let limits = try LimitsOnDisk(
            #"""
            {"v":1,"all":{"order_quantity_max":"10","order_notional_max":"2010","orders_per_minute":1,"orders_per_day":1,
            "notional_per_day":"2010","symbols":["AAPL"],"symbols_forbidden":["SPY"],"sides":["buy"],
            "duplicate_window_s":60,"reduce_only":false,"market_hours_only":true},"reference_prices":{"AAPL":"201"}}
            """#)
        let worker = try RunningWorker(broker: broker.url, settings: ["--limits", limits.path])
        _ = try worker.decide("d-1", aapl)
        #expect(try worker.finalOutcome(of: "d-1")["result"] == "success")
        #expect(await broker.summary().posts == 1)
    }
}

@Suite("A worker with limits on what was sent before", .timeLimit(.minutes(20)))
struct CountedLimitTests {
    @Test("counts over a kill and a restart, what is unknown too")
    func restart() async throws {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.html504, clientOrderID: "s:d-2"))
        let limits = try LimitsOnDisk(
            #"{"v":1,"all":{"orders_per_day":3},"each":{"orders_per_day":2,"duplicate_window_s":600}}"#)
        let worker = try RunningWorker(broker: broker.url, settings: ["--limits", limits.path])
        _ = try worker.decide("d-1", aapl)
        _ = try worker.decide("d-2", #""symbol":"KO","side":"buy","quantity":"1""#)
        _ = try worker.finalOutcome(of: "d-1")
        _ = try worker.outcomes { $0["decision_id"] == "d-2" }
        worker.kill()
        try worker.restart()
        _ = try worker.decide("d-3", aapl)
        _ = try worker.decide("d-4", #""symbol":"MSFT","side":"buy","quantity":"1""#)
        _ = try worker.decide("d-1", strategy: "t", aapl)
        _ = try worker.decide("d-2", strategy: "t", #""symbol":"MSFT","side":"buy","quantity":"1""#)
        #expect(try worker.finalOutcome(of: "d-3")["reason"] == "duplicate_intent")
        #expect(try worker.finalOutcome(of: "d-4")["reason"] == "orders_per_day_limit")
        #expect(try worker.finalOutcome(of: "d-1", strategy: "t")["result"] == "success")
        #expect(try worker.finalOutcome(of: "d-2", strategy: "t")["reason"] == "orders_per_day_limit")
        #expect(await broker.receivedOrders().map(\.clientOrderID) == ["s:d-1", "s:d-2", "t:d-1"])
    }

    @Test("counts what a lost database did not know of, before the next is judged")
    func adopted() async throws {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.delayBeforeRecording, milliseconds: 1500))
        let limits = try LimitsOnDisk(#"{"v":1}"#)
        let worker = try RunningWorker(broker: broker.url, settings: ["--limits", limits.path])
        for id in ["d-1", "d-2"] { _ = try worker.decide(id, aapl) }
        let copy = worker.stateDirectory + "/copy.db"
        try worker.copyDatabase(to: copy)
        _ = try worker.finalOutcome(of: "d-2")
        worker.kill()

        // In the copy the first is under way and the second waits. The third comes while they are looked up.
        try worker.restoreDatabase(from: copy)
        try limits.write(#"{"v":1,"all":{"orders_per_day":2}}"#)
        await broker.addFault(FaultRule(.delayBeforeRecording, times: 2, method: .get, milliseconds: 1500))
        try worker.restart()
        _ = try worker.decide("d-3", #""symbol":"KO","side":"buy","quantity":"1""#)
        #expect(try worker.finalOutcome(of: "d-2")["execution"]?["resolution"] == "adopted")
        #expect(try worker.finalOutcome(of: "d-3")["reason"] == "orders_per_day_limit")
        #expect(await broker.summary().posts == 2)
    }

    @Test("does not count what has certainly not left, nor what was refused before")
    func notSent() async throws {
        let broker = try await SimulatedAlpaca.start()
        let limits = try LimitsOnDisk(
            #"""
            {"v":1,"each":{"orders_per_minute":1,"orders_per_day":1,"notional_per_day":"2000","duplicate_window_s":60,
            "symbols":["AAPL"]},"reference_prices":{"AAPL":"200"}}
            """#)
        let worker = try RunningWorker(broker: broker.url, settings: ["--limits", limits.path])
        await broker.stop()
        _ = try worker.decide("d-1", aapl)
        #expect(try worker.finalOutcome(of: "d-1")["execution"]?["certainty"] == "not_sent")
        _ = try worker.decide("d-2", #""symbol":"KO","side":"buy","quantity":"1""#)
        #expect(try worker.finalOutcome(of: "d-2")["reason"] == "symbol_not_allowed")
        for _ in 1...2 {
            let again = try await SimulatedAlpaca.start(port: broker.port)
            let id = try worker.number("SELECT count(*) FROM trade_decisions") == 2 ? "d-3" : "d-4"
            _ = try worker.decide(id, aapl)
            let outcome = try worker.finalOutcome(of: id)
            #expect(id == "d-3" ? outcome["result"] == "success" : outcome["reason"] == "duplicate_intent")
            await again.stop()
        }
    }

    @Test(
        "takes a changed file with the next order, counts by it what was sent before, and keeps it when an edit is broken"
    )
    func edit() async throws {
        let broker = try await SimulatedAlpaca.start()
        let limits = try LimitsOnDisk(#"{"v":1}"#)
        let worker = try RunningWorker(broker: broker.url, settings: ["--limits", limits.path])
        _ = try worker.decide("d-1", aapl)
        #expect(try worker.finalOutcome(of: "d-1")["result"] == "success")
        try limits.write(#"{"v":1,"each":{"orders_per_day":1}}"#)
        _ = try worker.decide("d-2", aapl)
        #expect(try worker.finalOutcome(of: "d-2")["reason"] == "orders_per_day_limit")
        try limits.write(#"{"v":1,"each":{"orders_per_day":100,"order_quantity_maks":"1"}}"#)
        _ = try worker.decide("d-3", aapl)
        #expect(try worker.finalOutcome(of: "d-3")["reason"] == "orders_per_day_limit")
        try FileManager.default.removeItem(atPath: limits.path)
        _ = try worker.decide("d-4", aapl)
        #expect(try worker.finalOutcome(of: "d-4")["reason"] == "orders_per_day_limit")
        try limits.write(#"{"v":1,"each":{"orders_per_day":2}}"#)
        _ = try worker.decide("d-5", aapl)
        #expect(try worker.finalOutcome(of: "d-5")["result"] == "success")
        #expect(await broker.receivedOrders().map(\.clientOrderID) == ["s:d-1", "s:d-5"])
    }
}

@Suite("A worker with limits that need the broker's word", .timeLimit(.minutes(20)))
struct AskedLimitTests {
    private func reduceOnly(_ strategies: String) throws -> LimitsOnDisk {
        try LimitsOnDisk("{\"v\":1,\"strategies\":{\"\(strategies)\":{\"reduce_only\":true}}}")
    }

    private func sell(_ quantity: String, _ symbol: String = "AAPL") -> String {
        "\"symbol\":\"\(symbol)\",\"side\":\"sell\",\"quantity\":\"\(quantity)\""
    }

    @Test("sends what makes a position smaller, and not what opens, adds to or turns round one")
    func reduces() async throws {
        let broker = try await SimulatedAlpaca.start()
        let limits = try reduceOnly("exit")
        let worker = try RunningWorker(broker: broker.url, settings: ["--limits", limits.path])
        _ = try worker.decide("d-1", aapl)
        _ = try worker.decide("d-2", #""symbol":"BTC/USD","side":"buy","quantity":"0.2","time_in_force":"gtc""#)
        #expect(try worker.finalOutcome(of: "d-1")["result"] == "success")
        #expect(try worker.finalOutcome(of: "d-2")["result"] == "success")
        _ = try worker.decide("d-1", strategy: "exit", aapl)
        _ = try worker.decide("d-2", strategy: "exit", sell("11"))
        _ = try worker.decide("d-3", strategy: "exit", sell("6"))
        _ = try worker.decide("d-4", strategy: "exit", sell("5"))
        _ = try worker.decide("d-5", strategy: "exit", sell("4"))
        _ = try worker.decide("d-6", strategy: "exit", sell("1", "KO"))
        _ = try worker.decide("d-7", strategy: "exit", sell("0.1", "BTC/USD") + #","time_in_force":"gtc""#)
        let reasons = try (1...7).map { number in
            let outcome = try worker.finalOutcome(of: "d-\(number)", strategy: "exit")
            return outcome["result"] == "success" ? "success" : outcome["reason"]?.string
        }
        let not = "not_reducing"
        #expect(reasons == [not, not, "success", not, "success", not, "success"])
        #expect(await broker.summary().posts == 5)
    }

    @Test("lets nothing overtake a decision that waits for the broker's word, and refuses when that cannot be had")
    func order() async throws {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.html502, times: 3, method: .get, path: "/v2/positions/AAPL"))
        let limits = try reduceOnly("exit")
        let worker = try RunningWorker(broker: broker.url, settings: ["--limits", limits.path])
        _ = try worker.decide("d-1", strategy: "exit", sell("1"))
        _ = try worker.decide("d-2")
        _ = try worker.decide("d-3", strategy: "exit", #""symbol":"KO","side":"buy","quantity":"1""#)
        let outcomes = try worker.outcomes { $0["decision_id"] == "d-3" && $0["final"] == true }
        var ids: [String] = []
        for id in outcomes.compactMap({ $0["decision_id"]?.string }) where !ids.contains(id) { ids.append(id) }
        #expect(ids == ["d-1", "d-2", "d-3"])
        #expect(outcomes.first?["reason"] == "position_unknown")
        #expect(outcomes.last?["reason"] == "not_reducing")
        #expect(await broker.requestCounts()["GET /v2/positions/{symbol}"] == 4)
        #expect(await broker.receivedOrders().map(\.clientOrderID) == ["s:d-2"])
    }

    @Test("sends during the regular session only, and refuses when the broker's clock cannot be had")
    func marketHours() async throws {
        var settings = SimulatedAlpaca.Settings()
        settings.exchange.isMarketOpen = false
        let broker = try await SimulatedAlpaca.start(settings: settings)
        let limits = try LimitsOnDisk(#"{"v":1,"all":{"market_hours_only":true}}"#)
        let worker = try RunningWorker(broker: broker.url, settings: ["--limits", limits.path])
        _ = try worker.decide("d-1", #""symbol":"BTC/USD","side":"buy","quantity":"1","time_in_force":"gtc""#)
        #expect(try worker.finalOutcome(of: "d-1")["result"] == "success")
        await broker.addFault(FaultRule(.html504, times: nil, method: .get, path: "/v2/clock"))
        _ = try worker.decide("d-2")
        #expect(try worker.finalOutcome(of: "d-2")["reason"] == "market_clock_unknown")
        await broker.clearFaults()
        _ = try worker.decide("d-3")
        #expect(try worker.finalOutcome(of: "d-3")["reason"] == "market_closed")
        // What the clock said is kept.
        let asked = await broker.requestCounts()["GET /v2/clock"]
        _ = try worker.decide("d-4")
        #expect(try worker.finalOutcome(of: "d-4")["reason"] == "market_closed")
        #expect(await broker.requestCounts()["GET /v2/clock"] == asked)
        #expect(await broker.summary().posts == 1)
    }
}
