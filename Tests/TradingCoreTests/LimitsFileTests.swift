import Foundation
import Testing
import TradingCore

@Suite("A limits file")
struct LimitsFileTests {
    private func read(_ text: String) throws -> TradingLimits { try LimitsFile.read(Array(text.utf8)) }

    private func decimal(_ text: String) throws -> ExactDecimal { try #require(ExactDecimal(text)) }

    @Test("that limits nothing is one")
    func empty() throws {
        #expect(try read(#"{"v":1}"#) == TradingLimits())
        #expect(TradingLimits().lines.isEmpty)
    }

    @Test("is read whole")
    func whole() throws {
        let limits = try read(
            #"""
            {"v":1,"all":{"order_quantity_max":"100","order_notional_max":"2500.50","orders_per_minute":3,
            "orders_per_day":40,"notional_per_day":"10000","symbols":["AAPL","btc/usd"],"symbols_forbidden":["TSLA"],
            "sides":["buy"],"duplicate_window_s":5,"reduce_only":true,"market_hours_only":true},
            "reference_prices":{"AAPL":"250"},"unpriced":"allow"}
            """#)
        #expect(limits.all.orderQuantityMax == (try decimal("100")))
        #expect(limits.all.orderNotionalMax == (try decimal("2500.5")))
        #expect(limits.all.ordersPerMinute == 3)
        #expect(limits.all.ordersPerDay == 40)
        #expect(limits.all.notionalPerDay == (try decimal("10000")))
        #expect(limits.all.symbols.map { Set($0.map(\.text)) } == ["AAPL", "BTCUSD"])
        #expect(limits.all.symbolsForbidden?.map(\.text) == ["TSLA"])
        #expect(limits.all.sides == [.buy])
        #expect(limits.all.duplicateWindow == .seconds(5))
        #expect(limits.all.reduceOnly == true)
        #expect(limits.all.marketHoursOnly == true)
        #expect(limits.referencePrices.map { "\($0.key.text) \($0.value.value)" } == ["AAPL 250"])
        #expect(limits.unpriced == .allow)
    }

    @Test("gives a strategy of its own what is not said of it from each")
    func overlay() throws {
        let limits = try read(
            #"""
            {"v":1,"each":{"order_quantity_max":"100","reduce_only":true,"orders_per_day":9},
            "strategies":{"big":{"order_quantity_max":"1000","reduce_only":false}}}
            """#)
        let big = limits.limits(of: try #require(StrategyName("big")))
        #expect(big.orderQuantityMax == (try decimal("1000")))
        #expect(big.reduceOnly == false)
        #expect(big.ordersPerDay == 9)
        let other = limits.limits(of: try #require(StrategyName("other")))
        #expect(other.orderQuantityMax == (try decimal("100")))
        #expect(other.reduceOnly == true)
    }

    @Test(
        "that could mean less than its author thinks is refused, and its problem names the place",
        arguments: [
            (#"{"v":1,"each":{"order_quantity_maks":"1"}}"#, "each.order_quantity_maks is no limit"),
            (#"{"v":1,"strategy":{}}"#, "strategy is no member"),
            (#"{"v":2}"#, "v must be 1"),
            (#"{}"#, "v must be 1"),
            (#"[]"#, "no JSON object"),
            (#"{"v":1"#, "no JSON"),
            (#"{"v":1,"each":{"orders_per_day":1,"orders_per_day":2}}"#, "orders_per_day"),
            (
                #"{"v":1,"each":{"order_quantity_max":100}}"#,
                "each.order_quantity_max must be a decimal number in quotes"
            ),
            (#"{"v":1,"each":{"order_notional_max":"1e3"}}"#, "each.order_notional_max"),
            (#"{"v":1,"each":{"notional_per_day":"-1"}}"#, "not below zero"),
            (#"{"v":1,"each":{"notional_per_day":null}}"#, "each.notional_per_day"),
            (#"{"v":1,"all":{"orders_per_minute":"30"}}"#, "all.orders_per_minute must be a whole number"),
            (#"{"v":1,"all":{"orders_per_minute":-1}}"#, "all.orders_per_minute"),
            (#"{"v":1,"all":{"duplicate_window_s":86401}}"#, "from 0 to 86400"),
            (#"{"v":1,"all":{"symbols":"AAPL"}}"#, "all.symbols must be a list"),
            (#"{"v":1,"all":{"symbols":["AA PL"]}}"#, "all.symbols[0] must be a symbol"),
            (#"{"v":1,"all":{"sides":["buy","short"]}}"#, #"all.sides[1] must be "buy" or "sell""#),
            (#"{"v":1,"all":{"reduce_only":1}}"#, "all.reduce_only must be true or false"),
            (#"{"v":1,"strategies":{"mean rev":{}}}"#, "mean rev"),
            (#"{"v":1,"strategies":{"s":[]}}"#, "strategies.s must be an object"),
            (#"{"v":1,"reference_prices":{"AAPL":"0"}}"#, "greater than zero"),
            (#"{"v":1,"reference_prices":{"BTC/USD":"1","BTCUSD":"2"}}"#, "has one already"),
            (#"{"v":1,"unpriced":"ignore"}"#, #"unpriced must be "refuse" or "allow""#),
        ])
    func refused(_ text: String, _ words: String) throws {
        let problem = #expect(throws: LimitsFile.Problem.self) { try read(text) }
        #expect(problem?.description.contains(words) == true, "\(problem?.description ?? "")")
    }

    @Test("as the example shows it is in order")
    func example() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../deploy/limits.example.json")
        let limits = try LimitsFile.read(Array(try Data(contentsOf: path)))
        #expect(limits.lines.count == 5)
        #expect(limits.limits(of: try #require(StrategyName("wind-down"))).reduceOnly == true)
    }
}
