/// How much of a position can be left to reduce at most, as far as one's own orders tell.
///
/// The broker's positions may trail its orders: they were seen apart by up to ten seconds. So an order that was just
/// sent may not be taken off what an answer says is available, and a second one would turn the position round.
package struct ReductionCeilings: Sendable {
    private struct Ceiling {
        let direction: HeldPosition.Direction
        var quantity: ExactDecimal
        let until: MonotonicTime
    }

    private var ceilings: [SymbolKey: Ceiling] = [:]

    private static let broker = Microseconds.seconds(10)

    package init() {}

    /// What an answer says is held, less what it may not know of yet.
    package func corrected(_ held: HeldPosition, of symbol: Symbol, at now: MonotonicTime) -> HeldPosition {
        guard let ceiling = ceilings[SymbolKey(symbol)], now < ceiling.until, ceiling.direction == held.direction
        else { return held }
        return HeldPosition(
            direction: held.direction, quantityAvailable: min(held.quantityAvailable, ceiling.quantity))
    }

    /// An order has begun.
    /// - Parameter held: What was held when it was judged; nil where nobody asked.
    package mutating func note(_ order: OrderTerms, held: HeldPosition?, at now: MonotonicTime) {
        guard let symbol = order.symbol, let side = order.side else { return }
        ceilings = ceilings.filter { now < $0.value.until }
        let key = SymbolKey(symbol)
        let known = ceilings[key]
        guard let direction = held?.direction ?? known?.direction,
            let before = held?.quantityAvailable ?? known?.quantity
        else { return }
        let reduces = side == (direction == .long ? .sell : .buy)
        switch (order.amount, reduces) {
        case (.quantity(let quantity), true):
            ceilings[key] = Ceiling(
                direction: direction, quantity: max(.zero, before - quantity.value),
                until: now + ReductionCeilings.broker)
        case (.quantity(let quantity), false): ceilings[key]?.quantity = before.adding(quantity.value) ?? before
        // What money buys nobody knows yet, so what it sells may be all.
        case (.notional, true):
            ceilings[key] = Ceiling(direction: direction, quantity: .zero, until: now + ReductionCeilings.broker)
        case (.notional, false): ceilings[key] = nil
        }
    }
}
