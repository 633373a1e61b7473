import StrictJSON
package import TradingCore

/// The way of an order into the books: the asset's rules, then funds and quantities, then the client order id.
extension Exchange {
    /// Takes an order or refuses it.
    /// - Returns: The index of the order.
    package mutating func submit(_ ticket: OrderTicket, at time: Timestamp) throws(BrokerRefusal) -> Int {
        advance(to: time)
        if isTradeSuspendedByUser { throw .forbidden("new orders are rejected by user request") }
        if ticket.orderClass == .multipleLegs { return try submitLegs(ticket) }

        guard let asset = assets.find(ticket.symbol) else {
            throw .notAllowed("asset \"\(ticket.symbol)\" not found")
        }
        let ticket = try checkAsset(asset, ticket)
        let intent = try checkAccount(asset, ticket)
        try checkUniqueness(of: ticket.clientOrderID)

        let index = add(ticket, asset: asset, intent: intent)
        reserve(index, cost: cost(of: ticket, asset), ticket)
        addExits(of: index, ticket)
        begin(index)
        return index
    }

    /// Unique per account for ever, ended orders included (probed on paper; the message was recorded).
    func checkUniqueness(of clientOrderID: String?) throws(BrokerRefusal) {
        guard let clientOrderID else { return }
        if byClientOrderID[clientOrderID] != nil { throw .badParameter("client_order_id must be unique") }
    }

    /// Enters an order into the books as it will be answered, without any future yet.
    mutating func add(
        _ ticket: OrderTicket, asset: Asset?, intent: SimulatedPositionIntent?, status: SimulatedOrderStatus? = nil
    ) -> Int {
        let index = orders.count
        var order = Order(
            id: random.uuid(), clientOrderID: ticket.clientOrderID ?? random.uuid(), ticket: ticket, asset: asset,
            intent: intent, createdAt: now, status: status ?? initialStatus(asset, ticket))
        order.updatedAt = now.advanced(byMicroseconds: random.number(in: settings.timings.updated))
        order.expiresAt = expiry(of: ticket)
        if hiddenForMilliseconds > 0 { order.hiddenUntil = now.advanced(byMilliseconds: hiddenForMilliseconds) }
        if let asset, ticket.type == .trailingStop { order.follow(price(of: asset)) }
        orders.append(order)
        byID[Exchange.normalized(order.id)] = index
        byClientOrderID[order.clientOrderID] = index
        enter(index)
        return index
    }

    /// In hours every recorded submit answered `pending_new`; out of hours an order is `accepted` and held.
    private func initialStatus(_ asset: Asset?, _ ticket: OrderTicket) -> SimulatedOrderStatus {
        isRouted(asset, ticket.extendedHours) ? .pendingNew : .accepted
    }

    func isRouted(_ asset: Asset?, _ extendedHours: Bool) -> Bool {
        isMarketOpen || asset?.assetClass == .crypto || extendedHours
    }

    private func expiry(of ticket: OrderTicket) -> Timestamp? {
        switch ticket.timeInForce {
        case .day, .atClose: NewYorkTime.nextClose(after: now)
        case .goodTillCanceled:
            // 90 days, then 16:15 in New York (Alpaca's documents).
            NewYorkTime.nextClose(after: now.advanced(bySeconds: 90 * 86_400)).advanced(bySeconds: 15 * 60)
        case .atOpening, .immediateOrCancel, .fillOrKill: nil
        }
    }

    /// Adds the exit orders of a bracket, oco or oto, held until the entry is filled.
    private mutating func addExits(of index: Int, _ ticket: OrderTicket) {
        let entry = orders[index]
        guard let asset = entry.asset, let side = entry.side else { return }
        var exits: [OrderTicket] = []
        var exit = OrderTicket()
        exit.symbol = asset.symbol
        exit.quantity = ticket.quantity
        exit.timeInForce = ticket.timeInForce
        exit.orderClass = ticket.orderClass
        exit.side = ticket.orderClass == .oneCancelsOther ? side : side.opposite
        if let takeProfit = ticket.takeProfitPrice, ticket.orderClass != .oneCancelsOther {
            exit.type = .limit
            exit.limitPrice = takeProfit
            exits.append(exit)
        }
        if let stopLoss = ticket.stopLossPrice {
            exit.type = ticket.stopLossLimitPrice == nil ? .stop : .stopLimit
            exit.stopPrice = stopLoss
            exit.limitPrice = ticket.stopLossLimitPrice
            exits.append(exit)
        }
        for exit in exits {
            let intent: SimulatedPositionIntent = exit.side == .sell ? .sellToClose : .buyToClose
            let leg = add(exit, asset: asset, intent: intent, status: .held)
            orders[leg].parent = index
            orders[index].legs.append(leg)
        }
    }

    // MARK: Several legs

    private mutating func submitLegs(_ ticket: OrderTicket) throws(BrokerRefusal) -> Int {
        var assetsOfLegs: [Asset] = []
        for leg in ticket.legs {
            guard let asset = assets.find(leg.symbol) else { throw .notAllowed("asset \"\(leg.symbol)\" not found") }
            guard asset.assetClass == .option || asset.assetClass == .equity else {
                throw .notAllowed("asset \"\(leg.symbol)\" is not tradable")
            }
            assetsOfLegs.append(asset)
        }
        guard let units = ticket.quantity else { throw .badParameter("qty is required for mleg order") }
        try checkIncrement(ticket.limitPrice, "limit_price")
        let net = ticket.limitPrice ?? netPrice(ticket, assetsOfLegs)
        if net.isPositive {
            let cost = net.times(units).times(ExactDecimal(100))
            guard cost <= cashBuyingPower else {
                throw .forbidden(
                    "insufficient options buying power",
                    [
                        .init("cost_basis", .string(cost.text)),
                        .init("options_buying_power", .string(cashBuyingPower.text)),
                    ])
            }
        }
        try checkUniqueness(of: ticket.clientOrderID)

        let index = add(ticket, asset: nil, intent: nil)
        for (leg, asset) in zip(ticket.legs, assetsOfLegs) {
            var part = OrderTicket()
            part.symbol = asset.symbol
            part.side = leg.side
            part.type = ticket.type
            part.orderClass = .multipleLegs
            part.quantity = units.times(leg.ratio)
            let intent = leg.intent ?? inferredIntent(asset, leg.side)
            let added = add(part, asset: asset, intent: intent)
            orders[added].ratio = leg.ratio
            orders[added].parent = index
            orders[index].legs.append(added)
        }
        begin(index)
        return index
    }

    /// What one unit of several legs costs at today's prices; negative for a credit.
    func netPrice(_ ticket: OrderTicket, _ assets: [Asset]) -> ExactDecimal {
        var net = ExactDecimal.zero
        for (leg, asset) in zip(ticket.legs, assets) {
            let price = price(of: asset).times(leg.ratio)
            net = leg.side == .buy ? net + price : net - price
        }
        return net
    }
}
