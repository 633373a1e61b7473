import AlpacaSimulator
import StrictJSON
import Testing
import TradingCore

@Suite("Orders put together at random")
struct RandomOrdersTests {
    private static let amounts = [
        "1", "2", "10", "0.5", "0.123456789", "0.000000001", "0.1234567890123", "99999999", "99999999.999999999",
        "100000000", "1e-18", "-1", "0", "60.1", "60", "61", "0.4525", "97000.123456789012345678", "3",
    ]
    private static let symbols = ["KO", "PEP", "BRK.A", "SNDL", "GME", "BTC/USD", "ETH/USD", "AAPL261218C00250000"]

    @Test("are taken or refused, and the books never break", arguments: 1...8 as ClosedRange<UInt64>)
    func booksHold(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var test = TestExchange {
            $0.refusesWashTrades = false
            $0.makesPartialFills = true
            $0.cash = ExactDecimal(99_999_999_999)
        }
        var (taken, refused) = (0, 0)
        for _ in 0..<3000 {
            do {
                let ticket = try OrderTicket(.object(RandomOrdersTests.order(&random)))
                _ = try test.exchange.submit(ticket, at: test.now)
                taken += 1
                if random.number(in: 0...3) == 0, let last = test.exchange.orders.indices.last {
                    try test.exchange.cancel(last, at: test.now)
                }
                let price = decimal(["59.5", "60.1", "0.01", "9999999"].randomElement(using: &random) ?? "1")
                try test.exchange.setPrice(
                    price, of: RandomOrdersTests.symbols.randomElement(using: &random) ?? "KO", at: test.now)
            } catch {
                // Only refusals are thrown, as the compiler knows.
                refused += 1
            }
            if random.number(in: 0...50) == 0 {
                test.exchange.setMarket(open: !test.exchange.isMarketOpen, at: test.now)
            }
            test.pass(milliseconds: random.number(in: 0...400))
        }
        #expect(taken > 50)
        #expect(refused > 50)
        for order in test.exchange.orders {
            if let quantity = order.quantity { #expect(order.filledQuantity <= quantity) }
        }
        // When nothing is live any more, nothing is reserved any more.
        test.exchange.setMarket(open: true, at: test.now)
        for row in test.exchange.cancelAll(at: test.now) { #expect(row.refusal == nil) }
        test.pass(milliseconds: 5000)
        #expect(test.exchange.list(OrderFilter()).isEmpty)
        let unreserved = test.exchange.equity.times(ExactDecimal(4)) - test.exchange.grossValue
        #expect(test.exchange.buyingPower == max(unreserved, .zero).truncated(places: 2))
    }

    private static func order(_ random: inout SeededRandom) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        func add(_ key: String, _ choices: [String], perCent: Int64) {
            guard random.number(in: 1...100) <= perCent, let choice = choices.randomElement(using: &random) else {
                return
            }
            members.append(JSONValue.Member(key, .string(choice)))
        }
        let type = ["market", "limit", "stop", "stop_limit", "trailing_stop"].randomElement(using: &random) ?? "market"
        members.append(JSONValue.Member("type", .string(type)))
        add("symbol", symbols, perCent: 99)
        add("side", ["buy", "sell"], perCent: 99)
        add("time_in_force", ["day", "day", "gtc", "ioc", "fok", "opg", "cls"], perCent: 99)
        add("qty", amounts, perCent: 90)
        add("notional", amounts, perCent: 12)
        add("limit_price", amounts, perCent: type.contains("limit") ? 97 : 2)
        add("stop_price", amounts, perCent: type == "stop" || type == "stop_limit" ? 97 : 2)
        add("trail_price", amounts, perCent: type == "trailing_stop" ? 60 : 1)
        add("trail_percent", amounts, perCent: type == "trailing_stop" ? 40 : 1)
        return members
    }
}
