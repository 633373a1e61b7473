/// Which parts of an order go together. What is decided by the broker's books, such as whether a symbol exists, is left
/// to the broker; what it would silently ignore or cut is refused here.
enum OrderShape {
    /// How many legs a multi-leg order has.
    static let legCounts = 2...4
    static var wrongLegCount: Refusal {
        .badField("legs", "an mleg order has \(legCounts.lowerBound) to \(legCounts.upperBound) legs")
    }

    static func check(_ order: OrderTerms) throws(Refusal) {
        try checkLegs(order)
        try checkPrices(order)
        try checkExits(order)
    }

    private static func checkLegs(_ order: OrderTerms) throws(Refusal) {
        if order.orderClass == .multiLeg {
            if order.symbol != nil { throw .badField("symbol", "an mleg order has symbols in its legs only") }
            if order.side != nil { throw .badField("side", "an mleg order has sides in its legs only") }
            guard legCounts.contains(order.legs.count) else { throw wrongLegCount }
            guard case .quantity = order.amount else { throw .badField("notional", "an mleg order needs quantity") }
        } else {
            if order.symbol == nil { throw .badField("symbol", "symbol must be 1 to 32 of A-Z a-z 0-9 . / -") }
            if order.side == nil { throw .badField("side", "side must be one of buy, sell") }
            if !order.legs.isEmpty { throw .badField("legs", "legs need order_class mleg") }
        }
    }

    private static func checkPrices(_ order: OrderTerms) throws(Refusal) {
        // An OCO order's limit is its take_profit's; the broker takes the order without one of its own.
        let limit: Need = order.orderClass == .oneCancelsOther ? .optional : .required
        switch order.type {
        case .market:
            try check(order, limit: .absent, stop: .absent, trail: .absent)
        case .limit:
            try check(order, limit: limit, stop: .absent, trail: .absent)
        case .stop:
            try check(order, limit: .absent, stop: .required, trail: .absent)
        case .stopLimit:
            try check(order, limit: .required, stop: .required, trail: .absent)
        case .trailingStop:
            try check(order, limit: .absent, stop: .absent, trail: .required)
        }
    }

    /// Whether an order type asks for a price.
    private enum Need {
        case required
        case optional
        case absent
    }

    private static func check(_ order: OrderTerms, limit: Need, stop: Need, trail: Need) throws(Refusal) {
        try check("limit_price", order.limitPrice, limit, order.type, mayBeNegative: order.orderClass == .multiLeg)
        try check("stop_price", order.stopPrice, stop, order.type)
        switch (order.trailPrice, order.trailPercent) {
        case (nil, nil):
            if trail == .required {
                throw .badField("trail_price", "a trailing_stop order needs trail_price or trail_percent")
            }
        case (.some, .some):
            throw .badField("trail_percent", "an order has trail_price or trail_percent, not both")
        case (let price, let percent):
            try check("trail_price", price, price == nil ? .absent : trail, order.type)
            try check("trail_percent", percent, percent == nil ? .absent : trail, order.type)
        }
    }

    private static func check(
        _ field: String, _ price: Price?, _ need: Need, _ type: OrderType, mayBeNegative: Bool = false
    ) throws(Refusal) {
        switch (need, price) {
        case (.required, nil): throw .badField(field, "a \(type.rawValue) order needs \(field)")
        case (.absent, .some): throw .badField(field, "a \(type.rawValue) order has no \(field)")
        case (.required, let price?), (.optional, let price?):
            guard price.value.scale <= 9 else { throw .badField(field, "\(field) has at most 9 decimal places") }
            guard price.value.isPositive || mayBeNegative else {
                throw .badField(field, "\(field) must be greater than zero")
            }
        case (.optional, nil), (.absent, nil): break
        }
    }

    /// The broker ignores take_profit and stop_loss without an order class, and would place an unprotected order.
    private static func checkExits(_ order: OrderTerms) throws(Refusal) {
        switch order.orderClass {
        case .bracket, .oneCancelsOther:
            let name = order.orderClass?.rawValue ?? ""
            if order.takeProfit == nil { throw .badField("take_profit", "a \(name) order needs take_profit") }
            if order.stopLoss == nil { throw .badField("stop_loss", "a \(name) order needs stop_loss") }
            if order.orderClass == .oneCancelsOther, order.type != .limit {
                throw .badField("order_type", "an oco order is a limit order")
            }
        case .oneTriggersOther:
            guard (order.takeProfit == nil) != (order.stopLoss == nil) else {
                throw .badField("take_profit", "an oto order has either take_profit or stop_loss")
            }
        case nil, .simple, .multiLeg:
            if order.takeProfit != nil {
                throw .badField("take_profit", "take_profit needs order_class bracket, oco or oto")
            }
            if order.stopLoss != nil {
                throw .badField("stop_loss", "stop_loss needs order_class bracket, oco or oto")
            }
        }
        for (field, price) in [
            ("take_profit.limit_price", order.takeProfit?.limitPrice),
            ("stop_loss.stop_price", order.stopLoss?.stopPrice),
            ("stop_loss.limit_price", order.stopLoss?.limitPrice),
        ] {
            if let price, !price.value.isPositive || price.value.scale > 9 {
                throw .badField(field, "\(field) must be greater than zero, with at most 9 decimal places")
            }
        }
    }
}
