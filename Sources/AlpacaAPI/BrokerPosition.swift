import StrictJSON
package import TradingCore

/// What the account holds of one symbol. Source: Alpaca, "Get an Open Position", and answers recorded in 2026-10.
package enum BrokerPosition {
    package static func path(of symbol: Symbol) -> String { "/v2/positions/\(percentEncoded(symbol.text))" }

    /// What an answer says is held, and nil in it where nothing is; nil where it does not say.
    package static func position(_ result: HTTPExchangeResult, of symbol: Symbol) -> HeldPosition?? {
        guard case .answered(let answer) = result else { return nil }
        if answer.statusCode == 404 {
            // Only the broker's own words for it count: a 404 of something in between says nothing.
            let error = ErrorAnswer.read(answer.body, httpStatusCode: answer.statusCode)
            let isNone = error.code == 40_410_000 && error.message.hasPrefix("position does not exist")
            return isNone ? .some(nil) : nil
        }
        guard answer.statusCode == 200 else { return nil }
        let position: JSONValue
        do {
            position = try JSONValue(parsing: answer.body)
        } catch {
            return nil
        }
        // A pair of currencies has no slash here.
        guard let shown = position["symbol"]?.string.flatMap(Symbol.init), SymbolKey(shown) == SymbolKey(symbol),
            let direction = position["side"]?.string.flatMap(HeldPosition.Direction.init),
            let available = position["qty_available"]?.string.flatMap({ ExactDecimal($0) })
        else { return nil }
        // What is short is written below zero.
        let magnitude = available < .zero ? .zero - available : available
        let isConsistent = magnitude.isZero || (available < .zero) == (direction == .short)
        return isConsistent ? HeldPosition(direction: direction, quantityAvailable: magnitude) : nil
    }
}
