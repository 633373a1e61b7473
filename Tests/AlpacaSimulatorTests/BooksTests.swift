import AlpacaSimulator
import StrictJSON
import Testing
import TradingCore

@Suite("The account's books")
struct BooksTests {
    @Test("follow purchases and sales exactly")
    func positions() throws {
        var test = TestExchange()
        try test.hold("10", "KO")
        #expect(test.exchange.cash == decimal("999399"))
        try test.exchange.setPrice(decimal("62.1"), of: "KO", at: test.now)
        try test.hold("10", "KO")
        #expect(test.exchange.positions["KO"]?.averagePrice == decimal("61.1"))
        try test.market("sell", "20", "KO")
        test.pass(milliseconds: 1000)
        #expect(test.exchange.positions["KO"] == nil)
        #expect(test.exchange.cash == decimal("1000020"))
    }

    @Test("follow a short sale and its cover")
    func short() throws {
        var test = TestExchange()
        try test.market("sell", "10", "KO")
        test.pass(milliseconds: 1000)
        #expect(test.exchange.positions["KO"]?.quantity == decimal("-10"))
        try test.market("buy", "10", "KO")
        test.pass(milliseconds: 1000)
        #expect(test.exchange.positions["KO"] == nil)
        #expect(test.exchange.cash == decimal("1000000"))
    }

    @Test("take the fee of coins from the coins")
    func coins() throws {
        var test = TestExchange()
        _ = try test.submit("{'symbol':'ETH/USD','qty':'1','side':'buy','type':'market','time_in_force':'gtc'}")
        test.pass(milliseconds: 10)
        #expect(test.exchange.positions["ETH/USD"]?.quantity == decimal("0.9975"))
    }

    @Test("list every fill")
    func activities() throws {
        var test = TestExchange()
        let order = try test.market("buy", "10", "KO")
        test.pass(milliseconds: 1000)
        #expect(test.exchange.fills.map(\.order) == [order])
        #expect(test.exchange.fills.first?.leavesQuantity == decimal("0"))
    }
}

@Suite("A listing of orders")
struct ListingTests {
    /// Three orders: one filled, one resting, one resting for another symbol and side.
    private func filled() throws -> TestExchange {
        var test = TestExchange()
        try test.hold("10", "KO")
        _ = try test.submit(
            "{'symbol':'PEP','qty':'1','side':'buy','type':'limit','limit_price':'50','time_in_force':'day'}")
        test.pass(milliseconds: 100)
        _ = try test.submit(
            "{'symbol':'KO','qty':'1','side':'sell','type':'limit','limit_price':'80','time_in_force':'day'}")
        test.pass(milliseconds: 100)
        return test
    }

    @Test("shows open orders, the newest first, unless asked otherwise")
    func status() throws {
        let test = try filled()
        #expect(test.exchange.list(OrderFilter()) == [2, 1])
        #expect(test.exchange.list(filter { $0.status = .closed }) == [0])
        #expect(test.exchange.list(filter { $0.status = .all }) == [2, 1, 0])
        #expect(
            test.exchange.list(
                filter {
                    $0.status = .all
                    $0.isAscending = true
                    $0.limit = 2
                }) == [0, 1])
    }

    @Test("is narrowed by symbol, side, time and id")
    func narrowed() throws {
        let test = try filled()
        #expect(test.exchange.list(filter { $0.symbols = ["KO"] }) == [2])
        #expect(test.exchange.list(filter { $0.side = .buy }) == [1])
        let middle = test.exchange[1].submittedAt
        #expect(
            test.exchange.list(
                filter {
                    $0.status = .all
                    $0.after = middle
                }) == [2])
        #expect(
            test.exchange.list(
                filter {
                    $0.status = .all
                    $0.until = middle
                }) == [0])
        #expect(
            test.exchange.list(
                filter {
                    $0.status = .all
                    $0.beforeOrderID = test.exchange[1].id
                }) == [0])
    }

    @Test("keeps out what is hidden, as look-ups do")
    func hidden() throws {
        var test = TestExchange()
        test.exchange.hiddenForMilliseconds = 500
        let order = try test.market("buy", "1", "KO", more: ",'client_order_id':'s:1'")
        test.pass(milliseconds: 499)
        #expect(test.exchange.list(OrderFilter()) == [])
        #expect(test.exchange.order(clientOrderID: "s:1") == nil)
        #expect(test.exchange.order(id: test.exchange[order].id) == nil)
        test.pass(milliseconds: 2)
        #expect(test.exchange.order(clientOrderID: "s:1") == order)
    }

    private func filter(_ change: (inout OrderFilter) -> Void) -> OrderFilter {
        var filter = OrderFilter()
        change(&filter)
        return filter
    }
}

@Suite("An order as it is written")
struct OrderTextTests {
    /// The keys of a recorded answer (josejuarez96/tradepartner, `buy_fractional.json`), in its order.
    static let recordedKeys = [
        "asset_class", "asset_id", "canceled_at", "client_order_id", "created_at", "expired_at", "expires_at",
        "extended_hours", "failed_at", "filled_at", "filled_avg_price", "filled_qty", "hwm", "id", "legs",
        "limit_price", "notional", "order_class", "order_type", "position_intent", "qty", "replaced_at",
        "replaced_by", "replaces", "side", "source", "status", "stop_price", "submitted_at", "subtag", "symbol",
        "time_in_force", "trail_percent", "trail_price", "type", "updated_at",
    ]

    @Test("has the keys of the recorded answers in their order")
    func keys() throws {
        var test = TestExchange()
        let order = try test.submit(
            "{'symbol':'PEP','notional':'2.00','side':'buy','type':'market','time_in_force':'day'}")
        let json = try test.json(order)
        #expect(json.members?.map(\.key) == OrderTextTests.recordedKeys)
        #expect(json["order_class"] == "")
        #expect(json["notional"] == "2")
        #expect(json["filled_qty"] == "0")
    }

    @Test(
        "has times with as many digits as they need",
        arguments: [
            (0, "2026-11-18T09:06:40Z"), (94_153_596, "2026-11-18T09:06:40.094153596Z"),
            (95_216_400, "2026-11-18T09:06:40.0952164Z"),
        ])
    func times(_ nanoseconds: Int64, _ text: String) throws {
        let second = try #require(Timestamp("2026-11-18T09:06:40Z"))
        #expect(Timestamp(nanoseconds: second.nanoseconds + nanoseconds).brokerText == text)
    }

    @Test(
        "reads amounts as strings and as numbers, exponents included",
        arguments: [("1.50", "1.5"), ("1e-05", "0.00001"), ("12E2", "1200"), ("0.1", "0.1")])
    func amounts(_ literal: String, _ value: String) {
        #expect(ExactDecimal(jsonNumber: literal) == decimal(value))
    }
}

@Suite("The clock of New York")
struct NewYorkTests {
    @Test(
        "opens and closes on weekdays, summer and winter",
        arguments: [
            // A Sunday in winter, a Friday evening in summer, a weekday in hours.
            ("2026-11-22T12:00:00Z", "2026-11-23T09:30:00-05:00", "2026-11-23T16:00:00-05:00"),
            ("2026-07-10T21:00:00Z", "2026-07-13T09:30:00-04:00", "2026-07-13T16:00:00-04:00"),
            ("2026-07-08T15:00:00Z", "2026-07-09T09:30:00-04:00", "2026-07-08T16:00:00-04:00"),
        ])
    func hours(_ now: String, _ open: String, _ close: String) throws {
        let now = try #require(Timestamp(now))
        #expect(NewYorkTime.text(NewYorkTime.nextOpen(after: now)) == open)
        #expect(NewYorkTime.text(NewYorkTime.nextClose(after: now)) == close)
    }
}

private func restingOrderBody() -> String {
    "{'symbol':'KO','qty':'2','side':'buy','type':'limit','limit_price':'55','time_in_force':'day'}"
}

/// A live order that waits for a price.
func restingOrder(in test: inout TestExchange) throws -> Int {
    let order = try test.submit(restingOrderBody())
    test.pass(milliseconds: 100)
    return order
}
