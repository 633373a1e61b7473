/// How much of a position can be left to reduce at most, as far as one's own orders tell.
///
/// The broker's positions may trail its orders: they were seen apart by up to ten seconds. So an order that was just
/// sent may not be taken off what an answer says is available, and a second one would turn the position round.
package struct OwnReductions: Sendable {
    private struct Order {
        let id: ClientOrderID
        /// Nil where the order does not say: it may be either.
        let side: Side?
        /// Nil where nobody knows: it may be all.
        let quantity: ExactDecimal?
        let number: Int
        /// Nil while its attempt is under way, or nobody knows what has come of it.
        var until: MonotonicTime?

        func counts(at now: MonotonicTime) -> Bool { until.map { now < $0 } ?? true }
    }

    /// What was certainly left when an order was judged.
    private struct Known {
        let held: HeldPosition
        /// This order and all after it are to be taken off.
        let firstOrder: Int
        let until: MonotonicTime
    }

    private var orders: [SymbolKey: [Order]] = [:]
    private var known: [SymbolKey: Known] = [:]
    private var count = 0

    private static let broker = Microseconds.seconds(10)

    package init() {}

    /// What an answer says is held, less what it may not know of yet.
    package func corrected(_ held: HeldPosition, of symbol: Symbol, at now: MonotonicTime) -> HeldPosition {
        let key = SymbolKey(symbol)
        let reducing: Side = held.direction == .long ? .sell : .buy
        let orders = (orders[key] ?? []).filter { $0.counts(at: now) && $0.side ?? reducing == reducing }
        func left(of quantity: ExactDecimal, after orders: some Sequence<Order>) -> ExactDecimal {
            orders.reduce(quantity) { left, order in order.quantity.map { max(.zero, left - $0) } ?? .zero }
        }
        var available = left(of: held.quantityAvailable, after: orders)
        // The answer may know of all these orders already. What was left before them tells how much is left at least.
        if let known = known[key], now < known.until, known.held.direction == held.direction {
            let after = left(
                of: known.held.quantityAvailable, after: orders.lazy.filter { $0.number >= known.firstOrder })
            available = max(available, min(held.quantityAvailable, after))
        }
        return HeldPosition(direction: held.direction, quantityAvailable: available)
    }

    /// An attempt has begun.
    /// - Parameter held: What was held when it was judged; nil where nobody asked.
    package mutating func begin(_ decision: Decision, held: HeldPosition?, at now: MonotonicTime) {
        if count.isMultiple(of: 1024) { forgetOld(at: now) }
        if let held, let symbol = decision.order.symbol {
            known[SymbolKey(symbol)] = Known(held: held, firstOrder: count, until: now + OwnReductions.broker)
        }
        put(decision, until: nil, at: now)
    }

    /// An attempt is found in the database. One that is known stays as it is.
    /// - Parameter endedAt: When it was known what had come of it; nil while it is not.
    package mutating func takeUp(_ decision: Decision, endedAt: MonotonicTime?, at now: MonotonicTime) {
        let id = decision.clientOrderID
        let isKnown = decision.order.tradedSymbols.contains { orders[SymbolKey($0)]?.contains { $0.id == id } == true }
        guard !isKnown else { return }
        put(decision, until: endedAt.map { $0 + OwnReductions.broker }, at: now)
    }

    /// It is known that the attempt has placed an order. Said again, it changes nothing.
    package mutating func end(_ decision: Decision, at now: MonotonicTime) {
        forEachOrder(of: decision) { orders, index in
            if orders[index].until == nil { orders[index].until = now + OwnReductions.broker }
        }
    }

    /// It is known that the attempt trades nothing any more, and has traded nothing.
    package mutating func remove(_ decision: Decision) {
        forEachOrder(of: decision) { orders, index in orders.remove(at: index) }
    }

    private mutating func put(_ decision: Decision, until: MonotonicTime?, at now: MonotonicTime) {
        func add(_ symbol: Symbol, _ side: Side?, _ quantity: ExactDecimal?) {
            let key = SymbolKey(symbol)
            orders[key, default: []].removeAll { !$0.counts(at: now) }
            orders[key, default: []].append(
                Order(id: decision.clientOrderID, side: side, quantity: quantity, number: count, until: until))
        }
        let order = decision.order
        var quantity: ExactDecimal?
        if case .quantity(let amount) = order.amount { quantity = amount.value }
        if let symbol = order.symbol { add(symbol, order.side, quantity) }
        for leg in order.legs {
            add(leg.symbol, leg.tradedSide, quantity.flatMap { $0.multiplied(by: leg.ratioQuantity.value) })
        }
        count += 1
    }

    private mutating func forEachOrder(of decision: Decision, _ change: (inout [Order], Int) -> Void) {
        for symbol in decision.order.tradedSymbols {
            let key = SymbolKey(symbol)
            guard let index = orders[key]?.lastIndex(where: { $0.id == decision.clientOrderID }) else { continue }
            change(&orders[key, default: []], index)
        }
    }

    private mutating func forgetOld(at now: MonotonicTime) {
        orders = orders.compactMapValues { orders in
            let young = orders.filter { $0.counts(at: now) }
            return young.isEmpty ? nil : young
        }
        known = known.filter { now < $0.value.until }
    }
}
