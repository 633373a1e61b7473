/// The rules that look at the order and at what was sent before.
extension LimitCheck {
    // MARK: What is traded

    func symbols(_ scope: Scope) -> LimitVerdict? {
        for symbol in decision.order.tradedSymbols {
            if scope.limits.symbolsForbidden?.contains(SymbolKey(symbol)) == true {
                return .refused(.symbolForbidden, message: "\(symbol) is forbidden for \(scope.text)")
            }
            if scope.limits.symbols?.contains(SymbolKey(symbol)) == false {
                return .refused(.symbolNotAllowed, message: "\(symbol) is not among the symbols of \(scope.text)")
            }
        }
        return nil
    }

    func sides(_ scope: Scope) -> LimitVerdict? {
        guard let allowed = scope.limits.sides else { return nil }
        for side in decision.order.tradedSides {
            guard let side else {
                return .refused(.sideNotAllowed, message: "a leg names no side, and \(scope.text) may not trade both")
            }
            if !allowed.contains(side) {
                return .refused(.sideNotAllowed, message: "\(scope.text) may not \(side.rawValue)")
            }
        }
        return nil
    }

    // MARK: How much

    func orderQuantity(_ scope: Scope) -> LimitVerdict? {
        guard let most = scope.limits.orderQuantityMax else { return nil }
        let limit = "order_quantity_max of \(scope.text) is \(most)"
        switch decision.order.amount {
        case .quantity(let quantity):
            guard quantity.value > most else { return nil }
            return .refused(.orderQuantityLimit, message: "\(limit), the order has \(quantity.value)")
        case .notional(let notional):
            // Money buys a quantity that only a price tells.
            guard let price = decision.order.symbol.flatMap({ limits.referencePrices[SymbolKey($0)] }) else {
                return unpriced(limit)
            }
            // More than is computed with is more than any notional.
            guard let cost = most.multiplied(by: price.value) else { return nil }
            guard notional.value > cost else { return nil }
            return .refused(
                .orderQuantityLimit,
                message: "\(limit), the order's \(notional.value) dollars are more than that at \(price.value)")
        }
    }

    func orderNotional(_ scope: Scope) -> LimitVerdict? {
        guard let most = scope.limits.orderNotionalMax else { return nil }
        let limit = "order_notional_max of \(scope.text) is \(most)"
        switch notional {
        case .unpriced: return unpriced(limit)
        case .beyondCounting:
            return .refused(.orderNotionalLimit, message: "\(limit), the order's is too large to compute")
        case .dollars(let dollars):
            guard dollars > most else { return nil }
            return .refused(.orderNotionalLimit, message: "\(limit), the order's is \(dollars)")
        }
    }

    private func unpriced(_ limit: String) -> LimitVerdict? {
        switch limits.unpriced {
        case .allow: return nil
        case .refuse:
            let subject = decision.order.symbol.map { "there is no reference price of \($0)" }
            return .refused(
                .noReferencePrice,
                message: "\(limit), and \(subject ?? "no price says what an order of several legs costs")")
        }
    }

    // MARK: How often

    func duplicates(_ scope: Scope) -> LimitVerdict? {
        guard let window = scope.limits.duplicateWindow else { return nil }
        let limit = "duplicate_window_s of \(scope.text) is \(window.count / 1_000_000)"
        if let sent = counters.lastLike(decision, by: scope.strategy), now - sent < window {
            return .refused(
                .duplicateIntent,
                message:
                    "\(limit), and the same symbol, side and amount was sent \((now - sent).count / 1_000_000) s ago")
        }
        guard !counters.remembersNoMore else {
            return .refused(.duplicateIntent, message: "\(limit), and more orders were sent than are remembered")
        }
        return nil
    }

    func ordersPerMinute(_ scope: Scope) -> LimitVerdict? {
        guard let most = scope.limits.ordersPerMinute else { return nil }
        let sent = counters.tally(of: scope.strategy).ordersOfMinute(at: now)
        guard sent >= most else { return nil }
        return .refused(
            .ordersPerMinuteLimit,
            message: "orders_per_minute of \(scope.text) is \(most), and \(sent) were sent within a minute")
    }

    func ordersPerDay(_ scope: Scope) -> LimitVerdict? {
        guard let most = scope.limits.ordersPerDay else { return nil }
        let sent = counters.tally(of: scope.strategy).ordersOfDay
        guard sent >= most else { return nil }
        return .refused(
            .ordersPerDayLimit, message: "orders_per_day of \(scope.text) is \(most), and \(sent) were sent today (UTC)"
        )
    }

    func notionalPerDay(_ scope: Scope) -> LimitVerdict? {
        guard let most = scope.limits.notionalPerDay else { return nil }
        let limit = "notional_per_day of \(scope.text) is \(most)"
        let sent = counters.tally(of: scope.strategy).notionalOfDay
        switch notional {
        case .unpriced: return unpriced(limit)
        case .dollars(let dollars):
            if let sum = sent?.adding(dollars), sum <= most { return nil }
            return .refused(
                .notionalPerDayLimit,
                message: "\(limit), \(sent?.text ?? "more than can be counted") was sent today (UTC), "
                    + "the order's is \(dollars)")
        case .beyondCounting:
            return .refused(.notionalPerDayLimit, message: "\(limit), the order's is too large to compute")
        }
    }
}

extension OrderTerms {
    /// The order's symbol, or those of its legs.
    var tradedSymbols: [Symbol] { symbol.map { [$0] } ?? legs.map(\.symbol) }

    /// The order's side, or those of its legs; nil for a leg that names none.
    fileprivate var tradedSides: [Side?] {
        if let side { return [side] }
        return legs.map(\.tradedSide)
    }
}

extension Leg {
    /// Nil where it names none.
    var tradedSide: Side? { side ?? positionIntent?.side }
}

extension PositionIntent {
    fileprivate var side: Side {
        switch self {
        case .buyToOpen, .buyToClose: .buy
        case .sellToOpen, .sellToClose: .sell
        }
    }
}
