import Testing
import TradingCore

private func time(_ seconds: Int64) -> MonotonicTime { MonotonicTime(microseconds: seconds * 1_000_000) }

private func word(
    _ limits: String, _ decision: Decision, marketHours: BrokerWord<MarketHours> = .notAsked,
    position: BrokerWord<HeldPosition?> = .notAsked
) throws -> String? {
    let limits = try LimitsFile.read(Array("{\"v\":1,\"each\":{\(limits)}}".utf8))
    let verdict = LimitCheck(
        decision, limits: limits, counters: SendCounters(day: 0, limits: limits), marketHours: marketHours,
        position: position, at: time(1)
    ).verdict
    switch verdict {
    case .allowed: return nil
    case .refused(let refusal, _): return refusal.rawValue
    case .needsPosition(let symbol): return "asks for the position in \(symbol)"
    case .needsMarketHours: return "asks for the clock"
    }
}

private func hours(isOpen: Bool) throws -> BrokerWord<MarketHours> {
    .said(
        MarketHours(
            isOpen: isOpen, timestamp: at(0), nextOpen: at(3600), nextClose: at(1800), askedAt: time(0),
            receivedAt: time(0)))
}

@Suite("The market-hours guard")
struct MarketHoursTests {
    private let guarded = #""market_hours_only":true"#

    @Test("lets orders pass while the broker's clock says open, and refuses them otherwise")
    func guardsHours() throws {
        #expect(try word(guarded, try decision()) == "asks for the clock")
        #expect(try word(guarded, try decision(), marketHours: try hours(isOpen: true)) == nil)
        #expect(try word(guarded, try decision(), marketHours: try hours(isOpen: false)) == "market_closed")
        #expect(try word(guarded, try decision(), marketHours: .unavailable) == "market_clock_unknown")
        #expect(try word(#""market_hours_only":false"#, try decision()) == nil)
    }

    @Test("looks at when an order would be sent, whatever hours it is for; and lets crypto pairs pass at all hours")
    func kinds() throws {
        let closed = try hours(isOpen: false)
        let extended = try decision([
            "order_type": "\"limit\"", "limit_price": "\"1\"", "extended_hours": "true",
        ])
        #expect(try word(guarded, extended, marketHours: closed) == "market_closed")
        #expect(try word(guarded, try decision(["time_in_force": "\"opg\""]), marketHours: closed) == "market_closed")
        for pair in ["BTC/USD", "btc/usd", "ETH/BTC", "SOL/USDT", "SOL/USDC"] {
            #expect(try word(guarded, try decision(["symbol": "\"\(pair)\""])) == nil)
        }
        for other in ["AA/PL", "AAPL/", "/USD", "A/B/USD", "AAPL/USDX"] {
            #expect(try word(guarded, try decision(["symbol": "\"\(other)\""]), marketHours: closed) == "market_closed")
        }
    }

    @Test("keeps what the clock said until the change that it names, by the broker's own time")
    func keeps() throws {
        let open = MarketHours(
            isOpen: true, timestamp: at(0), nextOpen: at(9000), nextClose: at(1800), askedAt: time(100),
            receivedAt: time(103))
        #expect(open.hold(at: time(1899)))
        #expect(!open.hold(at: time(1900)))
        // Said at the very moment of the change: it holds for the decision that asked.
        let late = MarketHours(
            isOpen: false, timestamp: at(10), nextOpen: at(0), nextClose: at(1800), askedAt: time(100),
            receivedAt: time(103))
        #expect(late.hold(at: time(103)))
        #expect(!late.hold(at: time(104)))
    }
}

@Suite("Reduce-only")
struct ReduceOnlyTests {
    private let only = #""reduce_only":true"#

    private func held(_ direction: HeldPosition.Direction, _ quantity: String) throws -> HeldPosition {
        HeldPosition(direction: direction, quantityAvailable: try #require(ExactDecimal(quantity)))
    }

    private func sell(_ quantity: String, _ id: String = "d-17") throws -> Decision {
        try decision(["decision_id": "\"\(id)\"", "side": "\"sell\"", "quantity": "\"\(quantity)\""])
    }

    @Test("lets pass what makes a position smaller, at most to nothing")
    func reduces() throws {
        let long = BrokerWord<HeldPosition?>.said(try held(.long, "10"))
        #expect(try word(only, try sell("10")) == "asks for the position in AAPL")
        #expect(try word(only, try sell("10"), position: long) == nil)
        #expect(try word(only, try sell("10.000000001"), position: long) == "not_reducing")
        #expect(try word(only, try decision(["quantity": "\"1\""]), position: long) == "not_reducing")
        let short = BrokerWord<HeldPosition?>.said(try held(.short, "10"))
        #expect(try word(only, try sell("1"), position: short) == "not_reducing")
        #expect(try word(only, try decision(["quantity": "\"10\""]), position: short) == nil)
        #expect(try word(only, try sell("1"), position: .said(nil)) == "not_reducing")
        #expect(try word(only, try sell("1"), position: .unavailable) == "position_unknown")
    }

    @Test(
        "refuses without asking what could open a position, or reduces nobody knows how much",
        arguments: [
            ["quantity": nil, "notional": "\"5\""], ["position_intent": "\"buy_to_open\""],
            [
                "order_class": "\"bracket\"", "take_profit": #"{"limit_price":"2"}"#,
                "stop_loss": #"{"stop_price":"1"}"#,
            ],
            ["order_class": "\"oto\"", "stop_loss": #"{"stop_price":"1"}"#],
        ] as [KeyValuePairs<String, String?>])
    func refusesUnasked(_ changes: KeyValuePairs<String, String?>) throws {
        #expect(try word(only, try decision(changes)) == "not_reducing")
    }

    @Test("takes off what was sent a moment ago, since the broker's positions may not know of it yet")
    func judged() throws {
        let symbol = try #require(Symbol("AAPL"))
        let ten = try held(.long, "10")
        var own = OwnReductions()
        #expect(own.corrected(ten, of: symbol, at: time(0)) == ten)
        let four = try sell("4", "d-1")
        own.begin(four, held: ten, at: time(0))
        own.end(four, at: time(0))
        #expect(own.corrected(ten, of: symbol, at: time(9)) == (try held(.long, "6")))
        // Answers that know of it already.
        #expect(own.corrected(try held(.long, "6"), of: symbol, at: time(9)) == (try held(.long, "6")))
        #expect(own.corrected(try held(.long, "5"), of: symbol, at: time(9)) == (try held(.long, "5")))
        #expect(own.corrected(try held(.short, "9"), of: symbol, at: time(9)) == (try held(.short, "9")))
        let five = try sell("5", "d-2")
        own.begin(five, held: nil, at: time(1))
        own.end(five, at: time(1))
        #expect(own.corrected(ten, of: symbol, at: time(9)) == (try held(.long, "1")))
        #expect(own.corrected(ten, of: symbol, at: time(11)) == ten)
    }

    @Test("takes off what was sent although nobody asked what was held, from every answer")
    func unasked() throws {
        let symbol = try #require(Symbol("AAPL"))
        let ten = try held(.long, "10")
        var own = OwnReductions()
        own.begin(try sell("4", "d-1"), held: nil, at: time(0))
        #expect(own.corrected(ten, of: symbol, at: time(1)) == (try held(.long, "6")))
        #expect(own.corrected(ten, of: try #require(Symbol("KO")), at: time(1)) == ten)
        own.begin(try decision(["decision_id": "\"d-2\"", "quantity": "\"3\""]), held: nil, at: time(1))
        #expect(own.corrected(try held(.short, "9"), of: symbol, at: time(2)) == (try held(.short, "6")))
        // What money sells nobody knows, so it may be all.
        let money = try decision(["side": "\"sell\"", "quantity": nil, "notional": "\"5\""])
        own.begin(money, held: nil, at: time(2))
        #expect(own.corrected(ten, of: symbol, at: time(2)) == (try held(.long, "0")))
        own.remove(money)
        #expect(own.corrected(ten, of: symbol, at: time(2)) == (try held(.long, "6")))
    }

    @Test("takes off an order while its attempt is under way or unknown, and ten seconds from its end")
    func ends() throws {
        let symbol = try #require(Symbol("AAPL"))
        let (ten, six) = (try held(.long, "10"), try held(.long, "6"))
        var own = OwnReductions()
        let four = try sell("4", "d-1")
        own.begin(four, held: ten, at: time(0))
        #expect(own.corrected(ten, of: symbol, at: time(3600)) == six)
        own.end(four, at: time(3600))
        own.end(four, at: time(3605))
        #expect(own.corrected(ten, of: symbol, at: time(3609)) == six)
        #expect(own.corrected(ten, of: symbol, at: time(3610)) == ten)
        // From the database.
        own.takeUp(try sell("3", "d-2"), endedAt: nil, at: time(4000))
        own.takeUp(try sell("2", "d-3"), endedAt: time(3995), at: time(4000))
        own.takeUp(try sell("2", "d-3"), endedAt: nil, at: time(4000))
        #expect(own.corrected(ten, of: symbol, at: time(4004)) == (try held(.long, "5")))
        #expect(own.corrected(ten, of: symbol, at: time(4005)) == (try held(.long, "7")))
    }

    @Test("does not count what was sent to add to a position: it may rest")
    func adds() throws {
        let symbol = try #require(Symbol("AAPL"))
        let ten = try held(.long, "10")
        var own = OwnReductions()
        own.begin(try sell("4", "d-1"), held: ten, at: time(0))
        for amount in [["quantity": "\"20\""], ["quantity": nil, "notional": "\"5\""]]
            as [KeyValuePairs<String, String?>]
        {
            own.begin(try decision(amount), held: nil, at: time(1))
            #expect(own.corrected(ten, of: symbol, at: time(2)) == (try held(.long, "6")))
        }
    }
}
