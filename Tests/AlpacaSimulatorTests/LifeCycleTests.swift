import AlpacaSimulator
import StrictJSON
import Testing
import TradingCore

@Suite("An order while the market is open")
struct OpenMarketTests {
    @Test("of whole shares is pending, new, and filled within the recorded times", arguments: [1, 2, 3, 4] as [UInt64])
    func wholeShares(_ seed: UInt64) throws {
        var test = TestExchange { $0.seed = seed }
        let order = try test.market("buy", "10", "KO")
        let created = test.exchange[order].createdAt
        #expect(test.trail(of: order, milliseconds: 1000) == ["pending_new", "new", "filled"])
        let filled = try #require(test.exchange[order].filledAt)
        #expect((150_000_000...900_000_000).contains(filled.nanoseconds - created.nanoseconds))
        let routed = test.exchange[order].submittedAt.nanoseconds - created.nanoseconds
        #expect((3_900_000...6_300_000).contains(routed))
        #expect(test.exchange[order].filledQuantity == decimal("10"))
        #expect(test.exchange[order].filledAveragePrice == decimal("60.1"))
    }

    @Test(
        "for part of a share or an amount of money fills at once, and submitted_at never moves",
        arguments: [
            "{'symbol':'KO','qty':'0.5','side':'buy','type':'market','time_in_force':'day'}",
            "{'symbol':'KO','notional':'200','side':'buy','type':'market','time_in_force':'day'}",
            "{'symbol':'BTC/USD','qty':'0.01','side':'buy','type':'market','time_in_force':'gtc'}",
        ])
    func atOnce(_ body: String) throws {
        var test = TestExchange()
        let order = try test.submit(body)
        #expect(test.trail(of: order, milliseconds: 10) == ["pending_new", "filled"])
        #expect(test.exchange[order].submittedAt == test.exchange[order].createdAt)
    }

    @Test("for an amount of money keeps qty null and fills to nine places")
    func notional() throws {
        var test = TestExchange()
        let order = try test.submit(
            "{'symbol':'KO','notional':'200.00','side':'buy','type':'market','time_in_force':'day'}")
        test.pass(milliseconds: 10)
        let json = try test.json(order)
        #expect(json["qty"] == nil as JSONValue? || json["qty"] == .null)
        #expect(json["notional"] == "200")
        #expect(json["filled_qty"] == "3.327787021")
    }

    @Test("with a limit that is not reached rests, and fills when the price comes")
    func restingLimit() throws {
        var test = TestExchange()
        let order = try test.submit(
            "{'symbol':'KO','qty':'2','side':'buy','type':'limit','limit_price':'55','time_in_force':'day'}")
        #expect(test.trail(of: order, milliseconds: 2000) == ["pending_new", "new"])
        try test.exchange.setPrice(decimal("54.5"), of: "KO", at: test.now)
        #expect(test.trail(of: order, milliseconds: 1000) == ["new", "filled"])
        #expect(test.exchange[order].filledAveragePrice == decimal("54.5"))
    }

    @Test("with a limit that is reached fills")
    func marketableLimit() throws {
        var test = TestExchange()
        let order = try test.submit(
            "{'symbol':'KO','qty':'2','side':'buy','type':'limit','limit_price':'61','time_in_force':'day'}")
        #expect(test.trail(of: order, milliseconds: 1000) == ["pending_new", "new", "filled"])
    }

    @Test(
        "that may not rest and cannot fill ends",
        arguments: [("ioc", "canceled"), ("fok", "expired")])
    func mayNotRest(_ timeInForce: String, _ end: String) throws {
        var test = TestExchange()
        let order = try test.submit(
            "{'symbol':'KO','qty':'2','side':'buy','type':'limit','limit_price':'55','time_in_force':'\(timeInForce)'}")
        #expect(test.trail(of: order, milliseconds: 100) == ["pending_new", "new", end])
    }

    @Test("with a stop waits for it")
    func stop() throws {
        var test = TestExchange()
        let order = try test.submit(
            "{'symbol':'KO','qty':'2','side':'buy','type':'stop','stop_price':'65','time_in_force':'day'}")
        test.pass(milliseconds: 1000)
        #expect(test.exchange[order].status == .new)
        try test.exchange.setPrice(decimal("66"), of: "KO", at: test.now)
        test.pass(milliseconds: 1000)
        #expect(test.exchange[order].status == .filled)
    }

    @Test("with a trailing stop follows the price up and sells when it falls")
    func trailingStop() throws {
        var test = TestExchange()
        try test.hold("5", "KO")
        let order = try test.submit(
            "{'symbol':'KO','qty':'5','side':'sell','type':'trailing_stop','trail_price':'2','time_in_force':'day'}")
        test.pass(milliseconds: 100)
        try test.exchange.setPrice(decimal("70"), of: "KO", at: test.now)
        #expect(test.exchange[order].highWaterMark == decimal("70"))
        #expect(test.exchange[order].stopPrice == decimal("68"))
        try test.exchange.setPrice(decimal("67.9"), of: "KO", at: test.now)
        test.pass(milliseconds: 1000)
        #expect(test.exchange[order].status == .filled)
    }

    @Test("fills in two parts now and then, and the parts add up")
    func partialFills() throws {
        var test = TestExchange { $0.makesPartialFills = true }
        var partial = 0
        for _ in 0..<100 {
            let order = try test.market("buy", "10", "F")
            let trail = test.trail(of: order, milliseconds: 1000)
            if trail == ["pending_new", "new", "partially_filled", "filled"] { partial += 1 }
            #expect(test.exchange[order].filledQuantity == decimal("10"))
        }
        #expect((2...25).contains(partial))
        #expect(test.exchange.positions["F"]?.quantity == decimal("1000"))
    }
}

@Suite("An order while the market is closed")
struct ClosedMarketTests {
    @Test("is accepted, held, and routed at the opening")
    func held() throws {
        var test = TestExchange { $0.isMarketOpen = false }
        let order = try test.market("buy", "1", "KO")
        #expect(test.trail(of: order, milliseconds: 3000) == ["accepted"])
        test.exchange.setMarket(open: true, at: test.now)
        #expect(test.trail(of: order, milliseconds: 1000) == ["pending_new", "new", "filled"])
    }

    @Test("for coins, or for extended hours, does not wait")
    func notHeld() throws {
        var test = TestExchange { $0.isMarketOpen = false }
        let coins = try test.submit(
            "{'symbol':'ETH/USD','notional':'20','side':'buy','type':'market','time_in_force':'gtc'}")
        let extended = try test.submit(
            "{'symbol':'KO','qty':'1','side':'buy','type':'limit','limit_price':'61','time_in_force':'day',"
                + "'extended_hours':true}")
        test.pass(milliseconds: 1000)
        #expect(test.exchange[coins].status == .filled)
        #expect(test.exchange[extended].status == .filled)
    }

    @Test("expires at the close if it is for the day, with what it has filled")
    func expires() throws {
        var test = TestExchange()
        let day = try test.submit(
            "{'symbol':'KO','qty':'2','side':'buy','type':'limit','limit_price':'55','time_in_force':'day'}")
        let kept = try test.submit(
            "{'symbol':'KO','qty':'2','side':'buy','type':'limit','limit_price':'55','time_in_force':'gtc'}")
        test.pass(milliseconds: 100)
        test.exchange.setMarket(open: false, at: test.now)
        #expect(test.exchange[day].status == .expired)
        #expect(test.exchange[day].expiredAt == test.now)
        #expect(test.exchange[kept].status == .new)
    }
}

@Suite("An order that is cancelled")
struct CancellationTests {
    @Test("is pending_cancel and then canceled")
    func cancelled() throws {
        var test = TestExchange()
        let order = try restingOrder(in: &test)
        try test.exchange.cancel(order, at: test.now)
        #expect(test.trail(of: order, milliseconds: 20) == ["pending_cancel", "canceled"])
        #expect(test.exchange[order].canceledAt != nil)
        try test.exchange.cancel(order, at: test.now)
    }

    @Test("after it was filled says so")
    func filled() throws {
        var test = TestExchange()
        let order = try test.market("buy", "1", "KO")
        test.pass(milliseconds: 1000)
        let refusal = #expect(throws: BrokerRefusal.self) { try test.exchange.cancel(order, at: test.now) }
        #expect(refusal == .notAllowed("order is already in \"filled\" state"))
    }

    @Test("gives its money back")
    func reservation() throws {
        var test = TestExchange()
        let before = test.exchange.buyingPower
        let order = try restingOrder(in: &test)
        #expect(test.exchange.buyingPower < before)
        try test.exchange.cancel(order, at: test.now)
        test.pass(milliseconds: 20)
        #expect(test.exchange.buyingPower == before)
    }
}

@Suite("An order that is replaced")
struct ReplacementTests {
    @Test("ends as replaced, and each order names the other")
    func replaced() throws {
        var test = TestExchange()
        let old = try restingOrder(in: &test)
        var changes = OrderChanges()
        changes.limitPrice = decimal("56")
        let new = try test.exchange.replace(old, with: changes, at: test.now)
        #expect(test.exchange[old].status == .pendingReplace)
        test.pass(milliseconds: 20)
        #expect(test.exchange[old].status == .replaced)
        #expect(test.exchange[old].replacedBy == test.exchange[new].id)
        #expect(test.exchange[new].replaces == test.exchange[old].id)
        #expect(test.exchange[new].status == .new)
        #expect(test.exchange[new].limitPrice == decimal("56"))
        #expect(test.exchange[new].clientOrderID != test.exchange[old].clientOrderID)
    }

    @Test("can be replaced again, and the last one fills")
    func chain() throws {
        var test = TestExchange()
        var last = try restingOrder(in: &test)
        for price in ["56", "57", "61"] {
            var changes = OrderChanges()
            changes.limitPrice = decimal(price)
            last = try test.exchange.replace(last, with: changes, at: test.now)
            test.pass(milliseconds: 20)
        }
        test.pass(milliseconds: 1000)
        #expect(test.exchange.orders.map(\.status.text) == ["replaced", "replaced", "replaced", "filled"])
    }

    @Test("too late leaves the new order rejected")
    func tooLate() throws {
        var test = TestExchange { $0.timings = .filling(afterMilliseconds: 20) }
        let old = try test.submit(
            "{'symbol':'KO','qty':'2','side':'buy','type':'limit','limit_price':'61','time_in_force':'day'}")
        test.pass(milliseconds: 19)
        var changes = OrderChanges()
        changes.limitPrice = decimal("62")
        let new = try test.exchange.replace(old, with: changes, at: test.now)
        test.pass(milliseconds: 20)
        #expect(test.exchange[old].status == .filled)
        #expect(test.exchange[new].status == .rejected)
        #expect(test.exchange[new].failedAt != nil)
    }

    @Test("with nothing changed, or too early, is refused")
    func refused() throws {
        var test = TestExchange()
        let early = try test.submit(
            "{'symbol':'KO','qty':'2','side':'buy','type':'limit','limit_price':'55','time_in_force':'day'}")
        var changes = OrderChanges()
        changes.limitPrice = decimal("55")
        var refusal = #expect(throws: BrokerRefusal.self) {
            try test.exchange.replace(early, with: changes, at: test.now)
        }
        #expect(refusal?.message == "unable to replace order, order isn't sent to exchange yet")
        test.pass(milliseconds: 100)
        refusal = #expect(throws: BrokerRefusal.self) { try test.exchange.replace(early, with: changes, at: test.now) }
        #expect(refusal?.message == "order parameters are not changed")
    }
}

@Suite("Orders that hang together")
struct LegTests {
    static let bracket =
        "{'symbol':'KO','qty':'2','side':'buy','type':'market','time_in_force':'gtc','order_class':'bracket',"
        + "'take_profit':{'limit_price':'65'},'stop_loss':{'stop_price':'55'}}"

    @Test("hold a bracket's exits until the entry is filled")
    func bracketHeld() throws {
        var test = TestExchange()
        let entry = try test.submit(LegTests.bracket)
        let legs = try #require(try test.json(entry, nested: true)["legs"]?.array)
        #expect(legs.map { $0["status"] } == ["held", "held"])
        #expect(legs.map { $0["type"] } == ["limit", "stop"])
        #expect(legs.map { $0["side"] } == ["sell", "sell"])
        #expect(try test.json(entry)["legs"] == .null)
        #expect(test.exchange.list(OrderFilter()).count == 1)
        test.pass(milliseconds: 1000)
        // The stop of a pair stays held beside its live sibling.
        #expect(test.exchange.orders.map(\.status.text) == ["filled", "new", "held"])
    }

    @Test("cancel the stop when the profit is taken, and the other way round", arguments: [("66", 1, 2), ("54", 2, 1)])
    func bracketExit(_ price: String, _ filled: Int, _ cancelled: Int) throws {
        var test = TestExchange()
        _ = try test.submit(LegTests.bracket)
        test.pass(milliseconds: 1000)
        try test.exchange.setPrice(decimal(price), of: "KO", at: test.now)
        test.pass(milliseconds: 1000)
        #expect(test.exchange[filled].status == .filled)
        #expect(test.exchange[cancelled].status == .canceled)
        #expect(test.exchange.positions["KO"] == nil)
    }

    @Test("end together when the entry is cancelled")
    func bracketCancelled() throws {
        var test = TestExchange()
        let entry = try test.submit(LegTests.bracket)
        try test.exchange.cancel(entry, at: test.now)
        test.pass(milliseconds: 100)
        #expect(test.exchange.orders.allSatisfy { $0.status == .canceled })
    }

    @Test("wake the one exit of an oto")
    func oneTriggersOther() throws {
        var test = TestExchange()
        _ = try test.submit(
            "{'symbol':'KO','qty':'2','side':'buy','type':'market','time_in_force':'day','order_class':'oto',"
                + "'stop_loss':{'stop_price':'55'}}")
        test.pass(milliseconds: 1000)
        #expect(test.exchange.orders.map(\.status.text) == ["filled", "new"])
    }

    @Test("cancel the other half of an oco")
    func oneCancelsOther() throws {
        var test = TestExchange()
        try test.hold("2", "KO")
        _ = try test.submit(
            "{'symbol':'KO','qty':'2','side':'sell','type':'limit','time_in_force':'gtc','order_class':'oco',"
                + "'take_profit':{'limit_price':'65'},'stop_loss':{'stop_price':'55'}}")
        test.pass(milliseconds: 100)
        #expect(test.exchange.orders.dropFirst().map(\.status.text) == ["new", "held"])
        try test.exchange.setPrice(decimal("54"), of: "KO", at: test.now)
        test.pass(milliseconds: 1000)
        #expect(test.exchange.orders.dropFirst().map(\.status.text) == ["canceled", "filled"])
    }

    @Test("fill all legs of several, and the parent has no symbol and no side")
    func severalLegs() throws {
        var test = TestExchange()
        let parent = try test.submit(
            "{'qty':'3','type':'limit','limit_price':'1.5','time_in_force':'day','order_class':'mleg','legs':["
                + "{'symbol':'AAPL261218C00250000','ratio_qty':'1','side':'buy','position_intent':'buy_to_open'},"
                + "{'symbol':'AAPL261218C00260000','ratio_qty':'1','side':'sell','position_intent':'sell_to_open'}]}")
        let json = try test.json(parent, nested: true)
        #expect(json["symbol"] == "")
        #expect(json["side"] == "")
        #expect(json["asset_id"] == "")
        #expect(json["legs"]?.array?.map { $0["type"] } == ["", ""])
        #expect(json["legs"]?.array?.map { $0["ratio_qty"] } == ["1", "1"])
        #expect(test.trail(of: parent, milliseconds: 1000) == ["pending_new", "new", "filled"])
        #expect(test.exchange.positions["AAPL261218C00250000"]?.quantity == decimal("3"))
        #expect(test.exchange.positions["AAPL261218C00260000"]?.quantity == decimal("-3"))
    }
}

@Suite("An order with a script")
struct ScriptTests {
    @Test("lives it, unknown statuses included")
    func lives() throws {
        var test = TestExchange()
        test.exchange.addScript(
            Script(
                symbol: "KO",
                steps: [
                    ScriptStep(afterMilliseconds: 5, status: .new),
                    ScriptStep(
                        afterMilliseconds: 10, status: .partiallyFilled, filledQuantity: decimal("40"),
                        price: decimal("60.05")),
                    ScriptStep(afterMilliseconds: 15, status: .other("under_water")),
                    ScriptStep(afterMilliseconds: 20, status: .canceled),
                ]))
        let order = try test.market("buy", "100", "KO")
        #expect(
            test.trail(of: order, milliseconds: 30)
                == ["pending_new", "new", "partially_filled", "under_water", "canceled"])
        #expect(test.exchange[order].filledQuantity == decimal("40"))
        #expect(test.exchange[order].filledAveragePrice == decimal("60.05"))
        #expect(test.exchange.positions["KO"]?.quantity == decimal("40"))
    }

    @Test("is rejected after a 200, once")
    func rejectedLater() throws {
        var test = TestExchange()
        test.exchange.addScript(
            Script(
                symbol: "KO", initialStatus: .accepted, steps: [ScriptStep(afterMilliseconds: 50, status: .rejected)],
                times: 1))
        let first = try test.market("buy", "1", "KO")
        let second = try test.market("buy", "1", "KO")
        #expect(test.exchange[second].status == .pendingNew)
        #expect(test.trail(of: first, milliseconds: 1000) == ["accepted", "rejected"])
        #expect(test.exchange[first].failedAt != nil)
        #expect(test.exchange[second].status == .filled)
    }

    @Test("can be answered as filled in part")
    func initiallyFilledInPart() throws {
        var test = TestExchange()
        let step = ScriptStep(afterMilliseconds: 0, status: .partiallyFilled, filledQuantity: decimal("1"))
        test.exchange.addScript(Script(clientOrderID: "s:1", steps: [step]))
        let order = try test.market("buy", "3", "KO", more: ",'client_order_id':'s:1'")
        #expect(test.exchange[order].status == .partiallyFilled)
        #expect(test.exchange[order].filledQuantity == decimal("1"))
    }

    @Test("can be answered as filled")
    func initiallyFilled() throws {
        var test = TestExchange()
        test.exchange.addScript(Script(clientOrderID: "s:1", initialStatus: .filled, steps: []))
        let order = try test.market("buy", "3", "KO", more: ",'client_order_id':'s:1'")
        #expect(test.exchange[order].status == .filled)
        #expect(test.exchange[order].filledQuantity == decimal("3"))
    }
}
