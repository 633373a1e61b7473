package import StrictJSON
package import TradingCore

/// What may be changed about an order.
package struct OrderChanges: Sendable {
    package var quantity: ExactDecimal?
    package var timeInForce: SimulatedTimeInForce?
    package var limitPrice: ExactDecimal?
    package var stopPrice: ExactDecimal?
    package var trail: ExactDecimal?
    package var clientOrderID: String?

    package init() {}

    /// Reads and checks the body of a PATCH.
    package init(_ body: JSONValue) throws(BrokerRefusal) {
        let fields = try RequestFields(body)
        quantity = try fields.amount("qty")
        limitPrice = try fields.amount("limit_price")
        stopPrice = try fields.amount("stop_price")
        trail = try fields.amount("trail")
        clientOrderID = try fields.text("client_order_id")
        if try fields.text("time_in_force") != nil {
            timeInForce = try fields.word("time_in_force", orRefuse: "invalid time_in_force") as SimulatedTimeInForce
        }
        if let quantity, !quantity.isPositive { throw .badParameter("qty must be > 0") }
        if let quantity, !quantity.isWhole { throw .badParameter("qty must be integer") }
        if let limitPrice, !limitPrice.isPositive { throw .badParameter("limit price must be > 0") }
        if let stopPrice, !stopPrice.isPositive { throw .badParameter("stop price must be > 0") }
        limitPrice = limitPrice?.truncated(places: 9)
        stopPrice = stopPrice?.truncated(places: 9)
        trail = trail?.truncated(places: 9)
        if let clientOrderID, clientOrderID.unicodeScalars.count > OrderTicket.clientOrderIDLengthMax {
            throw .badParameter("client_order_id must be no more than 128 characters")
        }
    }
}

extension Exchange {
    // MARK: Cancelling

    /// Asks for an order's cancellation, which comes some milliseconds later. Asking again is no error.
    package mutating func cancel(_ index: Int, at time: Timestamp) throws(BrokerRefusal) {
        advance(to: time)
        let order = orders[index]
        if order.ratio != nil { throw .notAllowed("cannot cancel individual legs of a mleg order") }
        switch order.status {
        case .canceled, .pendingCancel: return
        case .filled, .expired, .replaced, .rejected:
            throw .notAllowed("order is already in \"\(order.status.text)\" state")
        case .pendingReplace: throw .notAllowed("cannot cancel order in pending_replace status")
        case .accepted, .pendingNew, .new, .partiallyFilled, .doneForDay, .held, .acceptedForBidding, .stopped,
            .suspended, .calculated, .pendingReview, .other:
            break
        }
        orders[index].plan += 1
        orders[index].status = .pendingCancel
        orders[index].updatedAt = now
        let delay = random.number(in: settings.timings.cancelled)
        schedule(.cancelled, index, at: now.advanced(byMicroseconds: delay))
    }

    /// Asks for the cancellation of every live order that hangs on no other.
    /// - Returns: The orders asked for, and why one was refused.
    package mutating func cancelAll(at time: Timestamp) -> [(order: Int, refusal: BrokerRefusal?)] {
        advance(to: time)
        return live.sorted.filter { orders[$0].parent == nil }.map { index in
            do throws(BrokerRefusal) {
                try cancel(index, at: time)
                return (index, nil)
            } catch {
                return (index, error)
            }
        }
    }

    // MARK: Replacing

    /// Replaces an order by one with other prices or quantity.
    /// - Returns: The index of the new order. It takes over some milliseconds later, unless the old one has ended by
    ///   then: then it is rejected.
    package mutating func replace(_ index: Int, with changes: OrderChanges, at time: Timestamp) throws(BrokerRefusal)
        -> Int
    {
        advance(to: time)
        let old = orders[index]
        try checkReplaceable(old)
        let ticket = try ticket(changing: old, changes)
        if let asset = old.asset { try checkReplacement(old, ticket, asset) }
        try checkUniqueness(of: changes.clientOrderID)

        let successor = add(ticket, asset: old.asset, intent: old.intent, status: .pendingNew)
        orders[successor].replaces = old.id
        orders[successor].hiddenUntil = nil
        orders[index].status = .pendingReplace
        orders[index].updatedAt = now
        let delay = random.number(in: settings.timings.cancelled)
        schedule(.replaced(by: successor), index, at: now.advanced(byMicroseconds: delay))
        return successor
    }

    private func checkReplaceable(_ order: Order) throws(BrokerRefusal) {
        if order.ratio != nil { throw .notAllowed("cannot replace individual legs of a mleg order") }
        switch order.status {
        case .new, .partiallyFilled, .held: break
        case .filled: throw .notAllowed("order is already in \"filled\" state")
        case .canceled, .expired, .replaced, .rejected, .doneForDay:
            throw .notAllowed("unable to replace order, order is not open")
        case .accepted, .pendingNew: throw .notAllowed("unable to replace order, order isn't sent to exchange yet")
        case .pendingCancel, .pendingReplace, .acceptedForBidding, .stopped, .suspended, .calculated, .pendingReview,
            .other:
            throw .notAllowed("cannot replace order in \(order.status.text) status")
        }
        if order.notional != nil { throw .notAllowed("notional orders cannot be replaced") }
    }

    private func ticket(changing old: Order, _ changes: OrderChanges) throws(BrokerRefusal) -> OrderTicket {
        var ticket = OrderTicket()
        ticket.symbol = old.symbol
        ticket.side = old.side
        ticket.type = old.type
        ticket.orderClass = old.orderClass
        ticket.extendedHours = old.extendedHours
        ticket.quantity = changes.quantity ?? old.quantity
        ticket.timeInForce = changes.timeInForce ?? old.timeInForce
        ticket.limitPrice = changes.limitPrice ?? old.limitPrice
        ticket.stopPrice = old.type == .trailingStop ? nil : changes.stopPrice ?? old.stopPrice
        ticket.trailPrice = old.trailPrice.map { changes.trail ?? $0 }
        ticket.trailPercent = old.trailPercent.map { changes.trail ?? $0 }
        ticket.clientOrderID = changes.clientOrderID
        if changes.limitPrice != nil, old.limitPrice == nil {
            throw .badParameter("\(old.type.rawValue) orders require no stop or limit price")
        }
        if changes.stopPrice != nil, old.stopPrice == nil || old.type == .trailingStop {
            throw .badParameter("\(old.type.rawValue) orders require no stop price")
        }
        if changes.trail != nil, old.type != .trailingStop {
            throw .badParameter("\(old.type.rawValue) orders must not have trail")
        }
        if let quantity = changes.quantity, quantity <= old.filledQuantity {
            throw .notAllowed("qty must be > filled_qty")
        }
        let isChanged =
            ticket.quantity != old.quantity || ticket.timeInForce != old.timeInForce
            || ticket.limitPrice != old.limitPrice || changes.stopPrice.map { $0 != old.stopPrice } ?? false
            || ticket.trailPrice != old.trailPrice || ticket.trailPercent != old.trailPercent
        guard isChanged else { throw .notAllowed("order parameters are not changed") }
        return ticket
    }

    private func checkReplacement(_ old: Order, _ ticket: OrderTicket, _ asset: Asset) throws(BrokerRefusal) {
        if asset.assetClass != .crypto {
            try checkIncrement(ticket.limitPrice, "limit_price")
            try checkIncrement(ticket.stopPrice, "stop_price")
            try checkIncrement(ticket.trailPrice, "trail_price")
        }
        let additional = cost(of: ticket, asset) - old.reservedCash
        guard old.reservedCash.isZero || additional <= buyingPower else {
            throw .forbidden(
                "insufficient buying power",
                [
                    .init("buying_power", .string(buyingPower.text)),
                    .init("cost_basis", .string(cost(of: ticket, asset).text)),
                ])
        }
    }

    /// The moment at which a replacement takes effect.
    mutating func completeReplacement(of index: Int, by successor: Int) {
        guard !orders[index].status.isFinal else { return end(successor, .rejected) }
        let old = orders[index]
        orders[successor].parent = old.parent
        orders[successor].legs = old.legs
        for leg in old.legs { orders[leg].parent = successor }
        if let parent = old.parent {
            orders[parent].legs = orders[parent].legs.map { $0 == index ? successor : $0 }
        }
        orders[index].plan += 1
        orders[index].legs = []
        orders[index].parent = nil
        orders[index].replacedBy = orders[successor].id
        let (cash, quantity) = (old.reservedCash, old.reservedQuantity)
        end(index, .replaced)
        takeOverReservation(successor, cash: cash, quantity: quantity)

        orders[successor].plan += 1
        orders[successor].startedAt = now
        orders[successor].submittedAt = now
        orders[successor].updatedAt = now
        orders[successor].status = .new
        becomeLive(successor)
    }

    private mutating func takeOverReservation(_ index: Int, cash: ExactDecimal, quantity: ExactDecimal) {
        if cash.isPositive, let asset = orders[index].asset {
            var ticket = OrderTicket()
            ticket.quantity = orders[index].quantity
            ticket.limitPrice = orders[index].limitPrice
            ticket.stopPrice = orders[index].stopPrice
            let cost = cost(of: ticket, asset)
            orders[index].reservedCash = cost
            reservedCash = reservedCash + cost
        }
        if quantity.isPositive { reserveToSell(index) }
    }
}
