package import StrictJSON
package import TradingCore

/// Which orders a listing shows. Source: Alpaca's OpenAPI document, GET /v2/orders.
package struct OrderFilter: Sendable {
    /// Which orders by their status. `closed` includes held ones.
    package enum Status: String, Sendable {
        case open
        case closed
        case all
    }

    /// The most rows that Alpaca gives at once.
    package static let limitMax = 500

    package var status = Status.open
    package var limit = 50
    /// Both exclusive, against `submitted_at`.
    package var after: Timestamp?
    package var until: Timestamp?
    package var isAscending = false
    /// Whether legs stand inside their parents and not beside them.
    package var isNested = false
    package var symbols: Set<String> = []
    package var side: OrderSide?
    package var assetClasses: Set<String> = []
    package var beforeOrderID: String?
    package var afterOrderID: String?

    package init() {}
}

extension Exchange {
    /// Indices of the orders a filter lets through, in its direction.
    package func list(_ filter: OrderFilter) -> [Int] {
        let before = filter.beforeOrderID.flatMap { byID[Exchange.normalized($0)] } ?? Int.max
        let after = filter.afterOrderID.flatMap { byID[Exchange.normalized($0)] } ?? -1
        var result: [Int] = []
        // Orders are kept in order of creation, which is nearly that of submission; the window is cut to what can
        // match, so that a listing of what is new costs nothing for what is old.
        let start = filter.after.map { first(createdAfter: $0.advanced(bySeconds: -60)) } ?? 0
        let end = filter.until.map { first(createdAfter: $0) } ?? orders.count
        let window = min(start, end)..<end
        let count = filter.status == .open ? live.sorted.count : window.count
        for place in 0..<count {
            guard result.count < filter.limit else { break }
            let offset = filter.isAscending ? place : count - 1 - place
            let index = filter.status == .open ? live.sorted[offset] : window.lowerBound + offset
            guard index < before, index > after, matches(orders[index], filter), visible(index) != nil else { continue }
            result.append(index)
        }
        return result
    }

    private func matches(_ order: Order, _ filter: OrderFilter) -> Bool {
        switch filter.status {
        case .all: break
        case .open: guard order.status.isListedAsOpen else { return false }
        case .closed: guard !order.status.isListedAsOpen else { return false }
        }
        if order.ratio != nil || (filter.isNested && order.parent != nil) { return false }
        if let after = filter.after, order.submittedAt <= after { return false }
        if let until = filter.until, order.submittedAt >= until { return false }
        if let side = filter.side, order.side != side { return false }
        if !filter.symbols.isEmpty {
            guard let asset = order.asset,
                filter.symbols.contains(asset.symbol) || filter.symbols.contains(asset.positionSymbol)
            else { return false }
        }
        if !filter.assetClasses.isEmpty {
            return filter.assetClasses.contains(order.asset?.assetClass.rawValue ?? AssetClass.option.rawValue)
        }
        return true
    }

    /// The first order created after `time`, found by halving.
    private func first(createdAfter time: Timestamp) -> Int {
        var (low, high) = (0, orders.count)
        while low < high {
            let middle = (low + high) / 2
            if orders[middle].createdAt <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Writes an order. The answer to a POST carries the legs; look-ups do so when asked to nest, and always for
    /// several legs.
    package func write(_ index: Int, nested: Bool, to writer: inout JSONWriter) {
        let order = orders[index]
        let legs = nested || order.orderClass == .multipleLegs ? order.legs.map { orders[$0] } : nil
        OrderText(order: order, legs: legs).write(to: &writer)
    }
}
