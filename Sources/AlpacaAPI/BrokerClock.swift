import StrictJSON
package import TradingCore

/// The broker's clock, the cheapest thing to ask it for. Source: Alpaca, "Get Market Clock info".
package enum BrokerClock {
    package static let path = "/v2/clock"

    /// What an answer says of the regular session; nil where it is none of the clock.
    package static func marketHours(
        _ result: HTTPExchangeResult, askedAt: MonotonicTime, receivedAt: MonotonicTime
    ) -> MarketHours? {
        guard case .answered(let answer) = result, answer.statusCode == 200 else { return nil }
        let clock: JSONValue
        do {
            clock = try JSONValue(parsing: answer.body)
        } catch {
            return nil
        }
        func time(_ key: String) -> Timestamp? { clock[key]?.string.flatMap(Timestamp.init) }
        guard let isOpen = clock["is_open"]?.bool, let timestamp = time("timestamp"),
            let nextOpen = time("next_open"), let nextClose = time("next_close")
        else { return nil }
        return MarketHours(
            isOpen: isOpen, timestamp: timestamp, nextOpen: nextOpen, nextClose: nextClose, askedAt: askedAt,
            receivedAt: receivedAt)
    }
}
