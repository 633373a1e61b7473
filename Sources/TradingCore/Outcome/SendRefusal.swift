/// Why an accepted decision is not sent. Stable words: they stand in outcomes and in `failure_reason`.
package enum SendRefusal: String, CaseIterable, Sendable {
    /// Its deadline, or the worker's `max_age`, passed before its turn came.
    case expired
    /// The strategy or everything is halted.
    case halted

    // Against a limit, in the order in which they are looked at.
    case symbolForbidden = "symbol_forbidden"
    case symbolNotAllowed = "symbol_not_allowed"
    case sideNotAllowed = "side_not_allowed"
    case orderQuantityLimit = "order_quantity_limit"
    case orderNotionalLimit = "order_notional_limit"
    /// A limit on money or quantity cannot be looked at, since nothing says what the order costs.
    case noReferencePrice = "no_reference_price"
    case duplicateIntent = "duplicate_intent"
    case ordersPerMinuteLimit = "orders_per_minute_limit"
    case ordersPerDayLimit = "orders_per_day_limit"
    case notionalPerDayLimit = "notional_per_day_limit"
    case marketClosed = "market_closed"
    /// The broker does not say whether the market is open.
    case marketClockUnknown = "market_clock_unknown"
    case notReducing = "not_reducing"
    /// The broker does not say what is held.
    case positionUnknown = "position_unknown"
}
