import AlpacaSimulator
import StrictJSON
import Testing
import TradingCore

/// An exchange with a clock that a test turns by hand.
struct TestExchange {
    static let start = Timestamp(nanoseconds: 1_795_000_000_000_000_000)

    var exchange: Exchange
    var now = TestExchange.start

    init(_ change: (inout Exchange.Settings) -> Void = { _ in }) {
        var settings = Exchange.Settings()
        settings.cash = ExactDecimal(1_000_000)
        change(&settings)
        exchange = Exchange(settings: settings, at: TestExchange.start)
    }

    /// Submits an order given as JSON, with single quotes in place of double ones.
    mutating func submit(_ body: String) throws -> Int {
        let json = try JSONValue(parsing: String(body.map { $0 == "'" ? "\"" : $0 }))
        return try exchange.submit(try OrderTicket(json), at: now)
    }

    /// Buys or sells whole shares at the market.
    @discardableResult
    mutating func market(_ side: String, _ quantity: String, _ symbol: String, more: String = "") throws -> Int {
        try submit(
            "{'symbol':'\(symbol)','qty':'\(quantity)','side':'\(side)','type':'market','time_in_force':'day'\(more)}")
    }

    /// Lets a position exist, and settles.
    mutating func hold(_ quantity: String, _ symbol: String) throws {
        try market("buy", quantity, symbol)
        pass(milliseconds: 2000)
    }

    mutating func pass(milliseconds: Int64) {
        now = now.advanced(byMilliseconds: milliseconds)
        exchange.advance(to: now)
    }

    /// The statuses an order goes through, looked at every 100 µs.
    mutating func trail(of order: Int, milliseconds: Int64) -> [String] {
        var trail = [exchange[order].status.text]
        let end = now.advanced(byMilliseconds: milliseconds)
        while now < end {
            now = now.advanced(byMicroseconds: 100)
            exchange.advance(to: now)
            if exchange[order].status.text != trail.last { trail.append(exchange[order].status.text) }
        }
        return trail
    }

    func json(_ order: Int, nested: Bool = false) throws -> JSONValue {
        var writer = JSONWriter()
        exchange.write(order, nested: nested, to: &writer)
        return try JSONValue(parsing: writer.bytes)
    }
}

func decimal(_ text: String) -> ExactDecimal {
    ExactDecimal(text)!
}
