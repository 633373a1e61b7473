package import TradingCore

/// Money, positions, and what live orders keep reserved of both.
extension Exchange {
    // MARK: Reservations

    mutating func enter(_ index: Int) {
        live.insert(index)
        guard let side = orders[index].side, orders[index].orderClass == .simple,
            orders[index].type != .trailingStop
        else { return }
        liveBySymbol[SymbolAndSide(symbol: orders[index].symbol, side: side), default: OrderIndices()].insert(index)
    }

    mutating func leave(_ index: Int) {
        live.remove(index)
        resting[orders[index].symbol]?.remove(index)
        if let side = orders[index].side {
            liveBySymbol[SymbolAndSide(symbol: orders[index].symbol, side: side)]?.remove(index)
        }
        reservedCash = reservedCash - orders[index].reservedCash
        orders[index].reservedCash = .zero
        changeReservedToSell(index, to: .zero)
    }

    mutating func reserve(_ index: Int, cost: ExactDecimal, _ ticket: OrderTicket) {
        guard let asset = orders[index].asset else { return }
        let held = positions[asset.symbol]?.quantity ?? .zero
        let opens = orders[index].side == .buy ? held >= .zero : !held.isPositive
        if opens {
            orders[index].reservedCash = cost
            reservedCash = reservedCash + cost
        } else if orders[index].side == .sell {
            let quantity = ticket.quantity ?? (ticket.notional ?? .zero).divided(by: price(of: asset))
            changeReservedToSell(index, to: quantity)
        }
    }

    /// Reserves the shares that an exit order is going to sell.
    mutating func reserveToSell(_ index: Int) {
        guard orders[index].side == .sell, let quantity = orders[index].quantity else { return }
        changeReservedToSell(index, to: quantity)
    }

    private mutating func changeReservedToSell(_ index: Int, to quantity: ExactDecimal) {
        let change = quantity - orders[index].reservedQuantity
        guard !change.isZero else { return }
        orders[index].reservedQuantity = quantity
        let symbol = orders[index].symbol
        reservedToSell[symbol] = (reservedToSell[symbol] ?? .zero) + change
    }

    /// Gives back what belongs to `share` of the `leaves` that were open.
    mutating func release(_ index: Int, share: ExactDecimal, of leaves: ExactDecimal) {
        let kept = max(leaves - share, .zero)
        if orders[index].reservedQuantity.isPositive {
            changeReservedToSell(index, to: min(kept, orders[index].reservedQuantity))
        }
        guard orders[index].reservedCash.isPositive, leaves.isPositive else { return }
        let rest = orders[index].reservedCash.times(kept.divided(by: leaves), places: 2)
        reservedCash = reservedCash - orders[index].reservedCash + rest
        orders[index].reservedCash = rest
    }

    // MARK: Positions

    /// Books a purchase, or with a negative quantity a sale. Crypto costs 0.25 %, taken from what is received.
    mutating func book(_ asset: Asset, _ quantity: ExactDecimal, at price: ExactDecimal) {
        grossValueKnown = nil
        let kept = ExactDecimal(asset.assetClass == .crypto ? 9975 : 10_000).divided(by: ExactDecimal(10_000))
        let value = quantity.magnitude.times(price).times(ExactDecimal(asset.multiplier))
        let received: ExactDecimal
        if quantity.isPositive {
            received = quantity.times(kept)
            cash = cash - value
        } else {
            received = quantity
            cash = cash + value.times(kept)
        }
        var position =
            positions[asset.symbol] ?? Position(asset: asset, quantity: .zero, averagePrice: price)
        let before = position.quantity
        let after = before + received
        if before.isZero || before.isPositive == received.isPositive {
            let spent = position.averagePrice.times(before.magnitude) + price.times(received.magnitude)
            position.averagePrice = spent.divided(by: after.magnitude)
        } else if !after.isZero, after.isPositive != before.isPositive {
            position.averagePrice = price
        }
        position.quantity = after
        positions[asset.symbol] = after.isZero ? nil : position
    }

    // MARK: Funds

    /// The value of all positions, shorts counted as positive.
    package var grossValue: ExactDecimal {
        if let grossValueKnown { return grossValueKnown }
        var sum = ExactDecimal.zero
        for position in positions.values { sum = sum + marketValue(of: position).magnitude }
        return sum
    }

    /// What a position is worth at today's price; negative for a short one.
    package func marketValue(of position: Position) -> ExactDecimal {
        position.quantity.times(price(of: position.asset)).times(ExactDecimal(position.asset.multiplier))
    }

    package var equity: ExactDecimal {
        var sum = cash
        for position in positions.values { sum = sum + marketValue(of: position) }
        return sum
    }

    /// Four times the equity, less what is invested and what live orders may still cost.
    package var buyingPower: ExactDecimal {
        max(equity.times(ExactDecimal(4)) - grossValue - reservedCash, .zero).truncated(places: 2)
    }

    /// What may be spent on crypto and options, which cannot be bought on margin.
    package var cashBuyingPower: ExactDecimal {
        max(min(cash - reservedCash, equity - reservedCash), .zero).truncated(places: 2)
    }
}
