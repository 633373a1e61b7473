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
        #expect(await broker.requestCounts()["GET /v2/clock"] ?? 0 > 0)
    }
}
