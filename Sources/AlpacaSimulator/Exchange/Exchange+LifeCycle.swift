import TradingCore

/// What happens to an order after it was taken.
extension Exchange {
    // MARK: Beginning

    /// Gives a new order its future: its script's, or its own from now on, or from the opening on.
    mutating func begin(_ index: Int) {
        let order = orders[index]
        if let found = scripts.firstIndex(where: {
            $0.matches(symbol: order.symbol, clientOrderID: order.clientOrderID)
        }) {
            let script = scripts[found]
            if let left = script.timesLeft { scripts[found].timesLeft = left - 1 }
            if let initial = script.initialStatus {
                applyScripted(ScriptStep(afterMilliseconds: 0, status: initial), to: index)
            }
            orders[index].plan += 1
            for step in script.steps {
                // What is due at once stands in the answer to the POST already.
                if step.afterMilliseconds == 0 {
                    applyScripted(step, to: index)
                } else {
                    schedule(.scripted(step), index, at: now.advanced(byMilliseconds: step.afterMilliseconds))
                }
            }
        } else if order.status == .accepted {
            waitingForOpening.append(index)
        } else {
            start(index)
        }
    }

    /// Schedules routing and what follows. Recorded: submitted_at moves when a whole-share order is routed, and
    /// never for orders that fill at once.
    mutating func start(_ index: Int) {
        orders[index].plan += 1
        orders[index].startedAt = now
        let timings = settings.timings
        if orders[index].fillsAtOnce {
            let delay = random.number(in: timings.filledAtOnce)
            schedule(.filled(share: 100), index, at: now.advanced(byMicroseconds: delay))
            return
        }
        let routed = now.advanced(byMicroseconds: random.number(in: timings.routed))
        schedule(.routed, index, at: routed)
        schedule(
            .acknowledged, index, at: routed.advanced(byMicroseconds: random.number(in: timings.acknowledged)))
    }

    func isDue(_ event: Event) -> Bool {
        if case .replaced = event.kind { return true }
        return event.plan == orders[event.order].plan && !orders[event.order].status.isFinal
    }

    mutating func schedule(_ kind: Event.Kind, _ index: Int, at time: Timestamp) {
        queue.add(Event(time: time, order: index, plan: orders[index].plan, kind: kind))
    }

    mutating func apply(_ event: Event) {
        guard isDue(event) else { return }
        let index = event.order
        switch event.kind {
        case .routed:
            for index in [index] + legsOfSeveral(index) {
                orders[index].submittedAt = now
                orders[index].updatedAt = now
            }
        case .acknowledged:
            for index in [index] + legsOfSeveral(index) { set(.new, of: index) }
            becomeLive(index)
        case .filled(let share): fill(index, share: share)
        case .endedUnfilled(let status): end(index, status)
        case .cancelled: end(index, .canceled)
        case .replaced(let successor): completeReplacement(of: index, by: successor)
        case .scripted(let step): applyScripted(step, to: index)
        }
    }

    private func legsOfSeveral(_ index: Int) -> [Int] {
        orders[index].orderClass == .multipleLegs ? orders[index].legs : []
    }

    private mutating func set(_ status: SimulatedOrderStatus, of index: Int) {
        orders[index].status = status
        // The answer to the POST has shown a moment that is still to come.
        orders[index].updatedAt = max(now, orders[index].updatedAt)
    }

    // MARK: At the venue

    /// Decides what an order does that has just become live: fill, rest, or end because it may not rest.
    mutating func becomeLive(_ index: Int) {
        let order = orders[index]
        if order.orderClass == .oneCancelsOther, order.parent == nil {
            // The stop of a pair is held beside its live sibling, and watches the price.
            for leg in order.legs { rest(leg) }
        }
        if order.timeInForce == .atClose {
            rest(index)
        } else if isMarketable(index) {
            scheduleFill(index)
        } else {
            // How unfilled IOC and FOK orders end is not recorded (Alpaca-API #171): each is given one of the two.
            switch order.timeInForce {
            case .immediateOrCancel: schedule(.endedUnfilled(.canceled), index, at: now.advanced(byMilliseconds: 1))
            case .fillOrKill: schedule(.endedUnfilled(.expired), index, at: now.advanced(byMilliseconds: 1))
            case .day, .goodTillCanceled, .atOpening, .atClose: rest(index)
            }
        }
    }

    /// Schedules the fill of a live order, now and then in two parts.
    private mutating func scheduleFill(_ index: Int) {
        let order = orders[index]
        let delay = random.number(
            in: order.asset?.assetClass == .crypto ? settings.timings.filledAtOnce : settings.timings.filled)
        let end = max(order.startedAt.advanced(byMicroseconds: delay), now.advanced(byMicroseconds: 1))
        let isDivisible = order.quantity.map { $0 > ExactDecimal(1) && $0.isWhole } ?? false
        if settings.makesPartialFills, isDivisible, order.timeInForce != .fillOrKill, order.asset != nil,
            random.number(in: 1...100) <= 10
        {
            let middle = Timestamp(nanoseconds: now.nanoseconds + (end.nanoseconds - now.nanoseconds) / 2)
            schedule(.filled(share: Int(random.number(in: 20...80))), index, at: middle)
        }
        schedule(.filled(share: 100), index, at: end)
    }

    private mutating func rest(_ index: Int) {
        resting[orders[index].symbol, default: OrderIndices()].insert(index)
    }

    private func isMarketable(_ index: Int) -> Bool {
        let order = orders[index]
        guard let asset = order.asset else {
            guard let limit = order.limitPrice else { return true }
            return netPrice(ofLegs: order.legs) <= limit
        }
        let price = price(of: asset)
        switch order.type {
        case .market: return true
        case .limit: return isWithinLimit(order, price)
        case .stop, .trailingStop: return order.isTriggered
        case .stopLimit: return order.isTriggered && isWithinLimit(order, price)
        }
    }

    private func isWithinLimit(_ order: Order, _ price: ExactDecimal) -> Bool {
        guard let limit = order.limitPrice else { return true }
        return order.side == .buy ? price <= limit : price >= limit
    }

    private func netPrice(ofLegs legs: [Int]) -> ExactDecimal {
        var net = ExactDecimal.zero
        for leg in legs {
            guard let asset = orders[leg].asset, let ratio = orders[leg].ratio else { continue }
            let price = price(of: asset).times(ratio)
            net = orders[leg].side == .buy ? net + price : net - price
        }
        return net
    }

    /// Looks at a resting order again after its price has moved.
    mutating func lookAtPrice(_ index: Int) {
        guard let asset = orders[index].asset, !orders[index].status.isFinal, orders[index].timeInForce != .atClose
        else { return }
        let price = price(of: asset)
        if orders[index].type == .trailingStop { orders[index].follow(price) }
        if let stop = orders[index].stopPrice, !orders[index].isTriggered,
            orders[index].side == .buy ? price >= stop : price <= stop
        {
            orders[index].isTriggered = true
            if orders[index].status == .held { set(.new, of: index) }
        }
        guard orders[index].status != .held, isMarketable(index) else { return }
        resting[asset.symbol]?.remove(index)
        orders[index].startedAt = now
        scheduleFill(index)
    }

    // MARK: Fills

    /// Fills a share of what is open, in percent, at the market price.
    private mutating func fill(_ index: Int, share: Int) {
        guard let asset = orders[index].asset else { return fillLegs(index) }
        guard isMarketable(index) || orders[index].timeInForce == .atClose else { return rest(index) }
        let price = price(of: asset)
        let total = orders[index].quantity ?? (orders[index].notional ?? .zero).divided(by: price)
        let leaves = total - orders[index].filledQuantity
        guard share < 100 else {
            record(leaves, at: price, for: index, total: total)
            return end(index, .filled)
        }
        let part = max(leaves.times(ExactDecimal(share)).divided(by: ExactDecimal(100), places: 0), ExactDecimal(1))
        guard part < leaves else { return }
        record(part, at: price, for: index, total: total)
        set(.partiallyFilled, of: index)
    }

    private mutating func fillLegs(_ index: Int) {
        guard isMarketable(index) else { return }
        for leg in orders[index].legs {
            guard let asset = orders[leg].asset, let quantity = orders[leg].quantity else { continue }
            record(quantity, at: price(of: asset), for: leg, total: quantity)
            end(leg, .filled)
        }
        orders[index].filledQuantity = orders[index].quantity ?? .zero
        orders[index].filledAveragePrice = netPrice(ofLegs: orders[index].legs)
        end(index, .filled)
    }

    /// Books one execution: the order, the position, the cash, the list of activities.
    mutating func record(_ quantity: ExactDecimal, at price: ExactDecimal, for index: Int, total: ExactDecimal) {
        guard quantity.isPositive, let asset = orders[index].asset, let side = orders[index].side else { return }
        let before = orders[index].filledQuantity
        let after = before + quantity
        let spent = (orders[index].filledAveragePrice ?? .zero).times(before) + price.times(quantity)
        orders[index].filledQuantity = after
        orders[index].filledAveragePrice = spent.divided(by: after)
        orders[index].filledAt = now
        release(index, share: quantity, of: total - before)
        book(asset, side == .buy ? quantity : quantity.negated, at: price)
        fills.append(
            Fill(
                order: index, time: now, quantity: quantity, price: price, cumulativeQuantity: after,
                leavesQuantity: max(total - after, .zero), id: random.uuid()))
    }

    // MARK: Ends

    /// Ends an order, and what hangs on it.
    mutating func end(_ index: Int, _ status: SimulatedOrderStatus) {
        guard !orders[index].status.isFinal else { return }
        set(status, of: index)
        orders[index].stamp(status, at: now)
        leave(index)
        let order = orders[index]
        if order.parent == nil {
            for leg in order.legs {
                if status == .filled, order.orderClass == .bracket || order.orderClass == .oneTriggersOther {
                    activate(leg, isOnly: order.legs.count == 1)
                } else if status != .replaced {
                    end(leg, status == .filled ? .canceled : status)
                }
            }
        } else if let parent = order.parent, order.orderClass != .multipleLegs, status != .replaced {
            for sibling in orders[parent].legs where sibling != index { end(sibling, .canceled) }
            if order.orderClass == .oneCancelsOther { end(parent, .canceled) }
        }
    }

    /// Wakes an exit order when its entry is filled. The stop of a pair stays held beside its live sibling, but
    /// watches the price.
    private mutating func activate(_ leg: Int, isOnly: Bool) {
        orders[leg].plan += 1
        orders[leg].startedAt = now
        orders[leg].submittedAt = now
        if orders[leg].type == .limit {
            reserveToSell(leg)
            set(.new, of: leg)
            becomeLive(leg)
        } else {
            if isOnly {
                reserveToSell(leg)
                set(.new, of: leg)
            }
            rest(leg)
        }
    }

    /// The end of the session for one order: those at the close fill, those of the day expire.
    mutating func close(_ index: Int) {
        let order = orders[index]
        guard order.asset?.assetClass != .crypto, !order.extendedHours, order.status != .accepted,
            order.parent == nil || order.status != .held
        else { return }
        switch order.timeInForce {
        case .atClose: fill(index, share: 100)
        case .day, .atOpening, .immediateOrCancel, .fillOrKill: end(index, .expired)
        case .goodTillCanceled: break
        }
    }

    // MARK: Scripts

    /// A status of a script, with the marks that go with it.
    private mutating func setScripted(_ status: SimulatedOrderStatus, of index: Int) {
        if status.isFinal {
            end(index, status)
        } else {
            set(status, of: index)
        }
    }

    private mutating func applyScripted(_ step: ScriptStep, to index: Int) {
        if let asset = orders[index].asset {
            let price = step.price ?? price(of: asset)
            let total = orders[index].quantity ?? (orders[index].notional ?? .zero).divided(by: price)
            var filled = step.filledQuantity
            if filled == nil, step.status == .filled { filled = total }
            if let filled, filled > orders[index].filledQuantity {
                record(filled - orders[index].filledQuantity, at: price, for: index, total: total)
            }
        }
        setScripted(step.status, of: index)
    }
}

extension Order {
    /// Sets the time that belongs to an end.
    mutating func stamp(_ status: SimulatedOrderStatus, at time: Timestamp) {
        switch status {
        case .filled: filledAt = time
        case .canceled: canceledAt = time
        case .expired: expiredAt = time
        case .replaced: replacedAt = time
        case .rejected: failedAt = time
        case .accepted, .pendingNew, .new, .partiallyFilled, .doneForDay, .pendingCancel, .pendingReplace, .held,
            .acceptedForBidding, .stopped, .suspended, .calculated, .pendingReview, .other:
            break
        }
    }

    /// Lets a trailing stop follow the price.
    mutating func follow(_ price: ExactDecimal) {
        let mark = highWaterMark ?? price
        let best = side == .sell ? max(mark, price) : min(mark, price)
        highWaterMark = best
        let trail = trailPrice ?? best.times(trailPercent ?? .zero).divided(by: ExactDecimal(100))
        stopPrice = side == .sell ? best - trail : best + trail
    }
}
