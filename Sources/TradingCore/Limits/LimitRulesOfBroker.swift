/// The rules that need the broker's word. Where it cannot be had, nothing is sent.
extension LimitCheck {
    /// Also of orders for extended hours and for the auctions: what counts is when they would be sent.
    func marketHours(_ scope: Scope) -> LimitVerdict? {
        guard scope.limits.marketHoursOnly == true, decision.order.symbol?.isCryptoPair != true else { return nil }
        switch marketHours {
        case .notAsked: return .needsMarketHours
        case .unavailable:
            return .refused(
                .marketClockUnknown,
                message: "market_hours_only is set for \(scope.text), and the broker's clock cannot be had")
        case .said(let hours):
            guard !hours.isOpen else { return nil }
            return .refused(
                .marketClosed,
                message: "market_hours_only is set for \(scope.text), and the market opens at \(hours.nextChange.text)")
        }
    }

    /// Whether the order makes what is held smaller, and at most to nothing.
    func reduceOnly(_ scope: Scope) -> LimitVerdict? {
        guard scope.limits.reduceOnly == true else { return nil }
        func refused(_ why: String) -> LimitVerdict {
            .refused(.notReducing, message: "reduce_only is set for \(scope.text), and \(why)")
        }
        let order = decision.order
        guard let symbol = order.symbol, let side = order.side else {
            return refused("whether an order of several legs reduces is not known")
        }
        switch order.orderClass {
        case nil, .simple, .oneCancelsOther: break
        case .bracket, .oneTriggersOther, .multiLeg: return refused("the order's exits would open a position")
        }
        switch order.positionIntent {
        case nil, .buyToClose, .sellToClose: break
        case .buyToOpen, .sellToOpen: return refused("the order is to open a position")
        }
        guard case .quantity(let quantity) = order.amount else {
            return refused("how much an amount of money reduces is not known")
        }
        switch position {
        case .notAsked: return .needsPosition(symbol)
        case .unavailable:
            return .refused(
                .positionUnknown,
                message: "reduce_only is set for \(scope.text), and what is held of \(symbol) cannot be had")
        case .said(nil): return refused("nothing is held of \(symbol)")
        case .said(let held?):
            let reducing: Side = held.direction == .long ? .sell : .buy
            guard side == reducing else {
                return refused("to \(side.rawValue) adds to the \(held.direction.rawValue) position in \(symbol)")
            }
            guard quantity.value <= held.quantityAvailable else {
                return refused("\(held.quantityAvailable) of \(symbol) can be reduced, the order has \(quantity.value)")
            }
            return nil
        }
    }
}
