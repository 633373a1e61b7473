import StrictJSON
package import TradingCore

/// What the account holds of one symbol. Source: Alpaca, "Get an Open Position", and answers recorded in 2026-10.
package enum BrokerPosition {
    package static func path(of symbol: Symbol) -> String { "/v2/positions/\(percentEncoded(symbol.text))" }

    /// What an answer says is held.
    package enum Answer: Equatable, Sendable {
        case held(HeldPosition)
        case nothingHeld
        /// It does not say.
        case unreadable
    }

    package static func read(_ result: HTTPExchangeResult, of symbol: Symbol) -> Answer {
        guard case .answered(let answer) = result else { return .unreadable }
        switch answer.statusCode {
        case 200: return held(answer.body, of: symbol).map { .held($0) } ?? .unreadable
        case 404:
            // Only the broker's own words for it count: a 404 of something in between says nothing.
            let error = ErrorAnswer.read(answer.body, httpStatusCode: answer.statusCode)
            let isNone = error.code == 40_410_000 && error.message.hasPrefix("position does not exist")
            return isNone ? .nothingHeld : .unreadable
        default: return .unreadable
        }
    }

    private static func held(_ body: [UInt8], of symbol: Symbol) -> HeldPosition? {
        let position: JSONValue
        do {
            position = try JSONValue(parsing: body)
        } catch {
            return nil
        }
        // A pair of currencies has no slash here.
        guard let shown = position["symbol"]?.string.flatMap(Symbol.init), SymbolKey(shown) == SymbolKey(symbol),
            let direction = position["side"]?.string.flatMap(HeldPosition.Direction.init),
            let available = position["qty_available"]?.string.flatMap({ ExactDecimal($0) })
        else { return nil }
        // What is short is written below zero.
        guard available.isZero || (available < .zero) == (direction == .short) else { return nil }
        return HeldPosition(
            direction: direction, quantityAvailable: available < .zero ? .zero - available : available)
    }
}
