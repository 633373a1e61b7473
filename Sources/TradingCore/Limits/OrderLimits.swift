/// The limits that an order is held against before it is sent. Nil is no limit.
package struct OrderLimits: Equatable, Sendable {
    /// The most shares, coins or contracts of one order.
    package var orderQuantityMax: ExactDecimal?
    /// The most that one order may cost, in dollars.
    package var orderNotionalMax: ExactDecimal?
    /// How many orders may be sent within 60 seconds.
    package var ordersPerMinute: Int?
    /// How many orders may be sent in one UTC day.
    package var ordersPerDay: Int?
    /// What the orders of one UTC day may cost together, in dollars.
    package var notionalPerDay: ExactDecimal?
    /// The only symbols that may be traded.
    package var symbols: Set<SymbolKey>?
    package var symbolsForbidden: Set<SymbolKey>?
    /// The only sides that may be traded.
    package var sides: Set<Side>?
    /// For how long after an order no other of the same symbol, side and amount is sent.
    package var duplicateWindow: Microseconds?
    /// Whether only orders pass that make a position smaller.
    package var reduceOnly: Bool?
    /// Whether orders pass during the regular session only.
    package var marketHoursOnly: Bool?

    package init() {}

    /// These limits, with those of `defaults` where nothing is said.
    func over(_ defaults: OrderLimits) -> OrderLimits {
        var limits = self
        limits.orderQuantityMax = orderQuantityMax ?? defaults.orderQuantityMax
        limits.orderNotionalMax = orderNotionalMax ?? defaults.orderNotionalMax
        limits.ordersPerMinute = ordersPerMinute ?? defaults.ordersPerMinute
        limits.ordersPerDay = ordersPerDay ?? defaults.ordersPerDay
        limits.notionalPerDay = notionalPerDay ?? defaults.notionalPerDay
        limits.symbols = symbols ?? defaults.symbols
        limits.symbolsForbidden = symbolsForbidden ?? defaults.symbolsForbidden
        limits.sides = sides ?? defaults.sides
        limits.duplicateWindow = duplicateWindow ?? defaults.duplicateWindow
        limits.reduceOnly = reduceOnly ?? defaults.reduceOnly
        limits.marketHoursOnly = marketHoursOnly ?? defaults.marketHoursOnly
        return limits
    }
}

/// A symbol as limits know it: the broker takes `BTCUSD` for `BTC/USD`, and who writes `aapl` means `AAPL`, so neither
/// is a way around a limit.
package struct SymbolKey: Hashable, Sendable {
    package let text: String

    package init(_ symbol: Symbol) {
        let slash = UInt8(ascii: "/")
        let small = UInt8(ascii: "a")...UInt8(ascii: "z")
        // Nearly every symbol is its own key.
        guard symbol.text.utf8.contains(where: { $0 == slash || small.contains($0) }) else {
            text = symbol.text
            return
        }
        // Without its slash, what is no such pair would have the key of another symbol.
        let hasNoSlash = symbol.isCryptoPair
        let capital = symbol.text.utf8.lazy.filter { !hasNoSlash || $0 != slash }
            .map { small.contains($0) ? $0 & 0xDF : $0 }
        text = String(decoding: Array(capital), as: UTF8.self)
    }
}
