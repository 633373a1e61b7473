import Testing
import TradingCore

/// What the limits of a file say to an order.
private struct Judge {
    let limits: TradingLimits
    var counters: SendCounters
    var marketHours: BrokerWord<MarketHours> = .notAsked
    var position: BrokerWord<HeldPosition?> = .notAsked
    var now = MonotonicTime(microseconds: 1_000_000_000)

    /// - Parameter members: Of a limits file, beside its version.
    init(_ members: String) throws {
        limits = try LimitsFile.read(Array("{\"v\":1,\(members)}".utf8))
        counters = SendCounters(day: 0, limits: limits)
    }

    func verdict(_ decision: Decision) -> LimitVerdict {
        LimitCheck(
            decision, limits: limits, counters: counters, marketHours: marketHours, position: position, at: now
        ).verdict
    }

    /// The word of the refusal; nil where the order is allowed.
    func word(_ decision: Decision) throws -> String? {
        switch verdict(decision) {
        case .allowed: nil
        case .refused(let refusal, let message): message.isEmpty ? "no message" : refusal.rawValue
        case .needsPosition(let symbol): "asks for the position in \(symbol)"
        case .needsMarketHours: "asks for the clock"
        }
    }

    mutating func sent(_ decision: Decision, secondsAgo: Int64 = 0, isOfToday: Bool = true) {
        counters.count(
            decision, at: MonotonicTime(microseconds: now.microseconds - secondsAgo * 1_000_000), isOfToday: isOfToday)
    }
}

private func limit(_ price: String, _ side: String = "buy") throws -> Decision {
    try decision(["side": "\"\(side)\"", "order_type": "\"limit\"", "limit_price": "\"\(price)\""])
}

private func spread() throws -> Decision {
    try decision([
        "symbol": nil, "side": nil, "quantity": "\"2\"", "order_class": "\"mleg\"", "order_type": "\"limit\"",
        "limit_price": "\"1\"",
        "legs": """
        [{"symbol":"AAPL261218C00250000","ratio_qty":"1","side":"buy"},
        {"symbol":"AAPL261218C00260000","ratio_qty":"1","side":"sell"}]
        """,
    ])
}

@Suite("A limit")
struct LimitCheckTests {
    @Test("that is not set allows everything")
    func none() throws {
        let judge = try Judge(#""each":{}"#)
        for order in [
            try decision(), try limit("1"), try spread(), try decision(["quantity": nil, "notional": "\"5\""]),
        ] {
            #expect(try judge.word(order) == nil)
        }
    }

    @Test("is looked at in the stated order, and the first that an order is against decides")
    func order() throws {
        // What the order of 100 AAPL at 250 is against, in the order in which it is looked at.
        let limits = [
            ("symbol_forbidden", #""symbols_forbidden":["AAPL"]"#), ("symbol_not_allowed", #""symbols":["SPY"]"#),
            ("side_not_allowed", #""sides":["sell"]"#), ("order_quantity_limit", #""order_quantity_max":"99""#),
            ("order_notional_limit", #""order_notional_max":"1""#), ("duplicate_intent", #""duplicate_window_s":60"#),
            ("orders_per_minute_limit", #""orders_per_minute":1"#), ("orders_per_day_limit", #""orders_per_day":1"#),
            ("notional_per_day_limit", #""notional_per_day":"1""#),
            ("asks for the clock", #""market_hours_only":true"#),
            ("asks for the position in AAPL", #""reduce_only":true"#),
        ]
        for first in limits.indices {
            let members = limits[first...].map(\.1).joined(separator: ",")
            for scope in ["all", "each"] {
                var judge = try Judge("\"\(scope)\":{\(members)},\"reference_prices\":{\"AAPL\":\"250\"}")
                judge.sent(try decision())
                #expect(try judge.word(try decision()) == limits[first].0)
            }
        }
    }

    @Test("of all strategies is not lifted by a strategy's own")
    func scopes() throws {
        let judge = try Judge(
            #""all":{"order_quantity_max":"50"},"strategies":{"mean-rev":{"order_quantity_max":"1000"}}"#)
        guard case .refused(.orderQuantityLimit, let message) = judge.verdict(try decision()) else {
            throw Unexpected(what: "\(judge.verdict(try decision()))")
        }
        #expect(message == "order_quantity_max of all strategies is 50, the order has 100")
    }

    @Test("on a symbol means it however it is written")
    func spellings() throws {
        let judge = try Judge(#""all":{"symbols_forbidden":["BTC/USD","aapl"]}"#)
        #expect(try judge.word(try decision(["symbol": "\"BTCUSD\""])) == "symbol_forbidden")
        #expect(try judge.word(try decision(["symbol": "\"btc/usd\""])) == "symbol_forbidden")
        #expect(try judge.word(try decision()) == "symbol_forbidden")
        #expect(try judge.word(try decision(["symbol": "\"AAPL.W\""])) == nil)
        let allowing = try Judge(#""all":{"symbols":["AAPL"]}"#)
        #expect(try allowing.word(try decision(["symbol": "\"aapl\""])) == nil)
        #expect(try allowing.word(try decision(["symbol": "\"AA/PL\""])) == "symbol_not_allowed")
    }

    @Test("on symbols and sides is on every leg")
    func legs() throws {
        let both = #""AAPL261218C00250000","AAPL261218C00260000""#
        #expect(try Judge("\"all\":{\"symbols\":[\(both)]}").word(try spread()) == nil)
        #expect(
            try Judge(#""all":{"symbols":["AAPL261218C00250000"]}"#).word(try spread()) == "symbol_not_allowed")
        #expect(
            try Judge(#""all":{"symbols_forbidden":["AAPL261218C00260000"]}"#).word(try spread()) == "symbol_forbidden")
        #expect(try Judge(#""all":{"sides":["buy"]}"#).word(try spread()) == "side_not_allowed")
        #expect(try Judge(#""all":{"sides":["buy","sell"]}"#).word(try spread()) == nil)
        #expect(try Judge(#""all":{"order_quantity_max":"1"}"#).word(try spread()) == "order_quantity_limit")
    }

    @Test("on quantity allows the limit itself, and money by what it buys")
    func quantity() throws {
        let judge = try Judge(#""all":{"order_quantity_max":"100"},"reference_prices":{"AAPL":"2.5"}"#)
        #expect(try judge.word(try decision()) == nil)
        #expect(try judge.word(try decision(["quantity": "\"100.000000001\""])) == "order_quantity_limit")
        #expect(try judge.word(try decision(["quantity": nil, "notional": "\"250\""])) == nil)
        #expect(
            try judge.word(try decision(["quantity": nil, "notional": "\"250.01\""])) == "order_quantity_limit")
        #expect(
            try judge.word(try decision(["symbol": "\"KO\"", "quantity": nil, "notional": "\"1\""]))
                == "no_reference_price")
    }

    @Test("on money that nothing prices refuses, unless the file says otherwise")
    func unpriced() throws {
        let refusing = try Judge(#""all":{"order_notional_max":"1"}"#)
        #expect(try refusing.word(try decision()) == "no_reference_price")
        #expect(try refusing.word(try spread()) == "no_reference_price")
        #expect(try refusing.word(try limit("0.001", "sell")) == "no_reference_price")
        let daily = try Judge(#""all":{"notional_per_day":"1"}"#)
        #expect(try daily.word(try decision()) == "no_reference_price")
        let allowing = try Judge(#""all":{"order_notional_max":"1","notional_per_day":"1"},"unpriced":"allow""#)
        #expect(try allowing.word(try decision()) == nil)
        #expect(try allowing.word(try limit("1")) == "order_notional_limit")
    }

    @Test("on repeated intents knows symbol, side and amount by value, for as long as its window")
    func duplicates() throws {
        var judge = try Judge(#""each":{"duplicate_window_s":10}"#)
        judge.sent(try decision(), secondsAgo: 9)
        #expect(try judge.word(try decision(["decision_id": "\"d-18\""])) == "duplicate_intent")
        #expect(try judge.word(try decision(["quantity": "\"100.0\""])) == "duplicate_intent")
        #expect(try judge.word(try limit("7")) == "duplicate_intent")
        #expect(try judge.word(try decision(["quantity": "\"101\""])) == nil)
        #expect(try judge.word(try decision(["side": "\"sell\""])) == nil)
        #expect(try judge.word(try decision(["symbol": "\"KO\""])) == nil)
        #expect(try judge.word(try decision(["quantity": nil, "notional": "\"100\""])) == nil)
        #expect(try judge.word(try decision(["strategy_name": "\"other\""])) == nil)
        judge.now = judge.now + .seconds(1)
        #expect(try judge.word(try decision()) == nil)
    }

    @Test("on repeated intents over all strategies knows those of others")
    func duplicatesOfOthers() throws {
        var judge = try Judge(#""all":{"duplicate_window_s":10}"#)
        judge.sent(try decision(["strategy_name": "\"other\""]))
        #expect(try judge.word(try decision()) == "duplicate_intent")
        judge.counters.giveBackLast()
        #expect(try judge.word(try decision()) == nil)
        judge.sent(try spread())
        #expect(try judge.word(try spread()) == "duplicate_intent")
    }

    @Test("on repeated intents refuses where it could no longer remember")
    func manyIntents() throws {
        var judge = try Judge(#""each":{"duplicate_window_s":60}"#)
        var sent = try decision()
        for number in 1...100_000 {
            sent.order.amount = .quantity(try #require(Quantity(ExactDecimal(Int64(number)))))
            judge.sent(sent)
        }
        #expect(try judge.word(try decision(["quantity": "\"0.5\""])) == "duplicate_intent")
        judge.now = judge.now + .seconds(60)
        judge.counters.forgetOld(at: judge.now)
        #expect(try judge.word(try decision(["quantity": "\"0.5\""])) == nil)
    }

    @Test("on orders a minute counts those of the last sixty seconds")
    func perMinute() throws {
        var judge = try Judge(#""all":{"orders_per_minute":3},"each":{"orders_per_minute":2}"#)
        judge.sent(try decision(), secondsAgo: 60)
        judge.sent(try decision(), secondsAgo: 59)
        judge.sent(try decision(["strategy_name": "\"other\""]), secondsAgo: 1)
        #expect(try judge.word(try decision()) == nil)
        judge.sent(try decision())
        #expect(try judge.word(try decision()) == "orders_per_minute_limit")
        #expect(try judge.word(try decision(["strategy_name": "\"third\""])) == "orders_per_minute_limit")
        judge.counters.giveBackLast()
        #expect(try judge.word(try decision(["strategy_name": "\"third\""])) == nil)
        judge.sent(try decision())
        judge.now = judge.now + .seconds(1)
        #expect(try judge.word(try decision()) == nil)
    }

    @Test("on the day counts orders and money of today alone")
    func perDay() throws {
        var judge = try Judge(
            #""each":{"orders_per_day":2,"notional_per_day":"50000"},"reference_prices":{"AAPL":"250"}"#)
        judge.sent(try decision(), secondsAgo: 90_000, isOfToday: false)
        judge.sent(try decision(), secondsAgo: 4000)
        #expect(try judge.word(try decision()) == nil)
        #expect(try judge.word(try decision(["quantity": "\"100.01\""])) == "notional_per_day_limit")
        judge.sent(try decision())
        #expect(try judge.word(try decision()) == "orders_per_day_limit")
        judge.counters.giveBackLast()
        #expect(try judge.word(try decision()) == nil)
    }

    @Test("on money refuses what is too large to compute, also together with what was sent before")
    func overflow() throws {
        let most = "9999999999999999999"
        let large = try decision([
            "quantity": "\"\(most).999999999\"", "order_type": "\"limit\"", "limit_price": "\"\(most).999999999\"",
        ])
        for name in ["order_notional_max", "notional_per_day"] {
            let judge = try Judge("\"all\":{\"\(name)\":\"\(most).999999999999999999\"}")
            #expect(try judge.word(large)?.hasSuffix("_limit") == true)
        }
        var judge = try Judge("\"all\":{\"notional_per_day\":\"\(most)\"}")
        let half = try decision(["quantity": nil, "notional": "\"6000000000000000000\""])
        judge.sent(half)
        #expect(try judge.word(half) == "notional_per_day_limit")
        judge.sent(half)
        #expect(try judge.word(try decision(["quantity": nil, "notional": "\"1\""])) == "notional_per_day_limit")
        judge.sent(large)
        #expect(try judge.word(try decision(["quantity": nil, "notional": "\"1\""])) == "notional_per_day_limit")
    }
}

@Suite("What an order costs")
struct OrderNotionalTests {
    private func dollars(_ decision: Decision, reference: String? = nil) throws -> String {
        var prices: [SymbolKey: Price] = [:]
        if let reference, let symbol = decision.order.symbol {
            prices[SymbolKey(symbol)] = Price(try #require(ExactDecimal(reference)))
        }
        switch OrderNotional(of: decision.order, referencePrices: prices) {
        case .dollars(let dollars): return dollars.text
        case .beyondCounting: return "beyond counting"
        case .unpriced: return "unpriced"
        }
    }

    @Test("is its amount of money, or its quantity at its own price")
    func ownPrice() throws {
        #expect(try dollars(try decision(["quantity": nil, "notional": "\"25.50\""])) == "25.50")
        #expect(try dollars(try limit("1.25")) == "125")
        #expect(try dollars(try limit("1.25"), reference: "900") == "125")
        let stopLimit = try decision([
            "order_type": "\"stop_limit\"", "stop_price": "\"3\"", "limit_price": "\"2\"", "side": "\"sell\"",
        ])
        #expect(try dollars(stopLimit) == "300")
    }

    @Test("is that of the reference price where the order states none, or only the least")
    func referencePrice() throws {
        #expect(try dollars(try decision()) == "unpriced")
        #expect(try dollars(try decision(), reference: "2.5") == "250")
        #expect(try dollars(try limit("1", "sell")) == "unpriced")
        #expect(try dollars(try limit("1", "sell"), reference: "900") == "90000")
        #expect(try dollars(try limit("1000", "sell"), reference: "900") == "100000")
        let stop = try decision(["order_type": "\"stop\"", "stop_price": "\"3\""])
        #expect(try dollars(stop) == "unpriced")
        #expect(try dollars(stop, reference: "4") == "400")
        let trailing = try decision(["order_type": "\"trailing_stop\"", "trail_percent": "\"3\""])
        #expect(try dollars(trailing) == "unpriced")
        #expect(try dollars(trailing, reference: "4") == "400")
    }

    @Test("counts an option a hundred times, and several legs not at all")
    func options() throws {
        let option = try decision([
            "symbol": "\"AAPL261218C00250000\"", "quantity": "\"2\"", "order_type": "\"limit\"",
            "limit_price": "\"1.5\"",
        ])
        #expect(try dollars(option) == "300")
        #expect(try dollars(try spread(), reference: "1") == "unpriced")
        #expect(try #require(Symbol("BRK.B")).isOption == false)
        #expect(try #require(Symbol("AAPL261218X00250000")).isOption == false)
    }
}
