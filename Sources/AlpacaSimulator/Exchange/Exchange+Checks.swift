import StrictJSON
import TradingCore

/// What the asset and the account must allow. Codes, texts and extra fields are recorded ones where a recording was
/// found.
extension Exchange {
    // MARK: The asset

    /// - Returns: The ticket as it is entered: quantities of crypto are cut to nine places without a word.
    func checkAsset(_ asset: Asset, _ ticket: OrderTicket) throws(BrokerRefusal) -> OrderTicket {
        var ticket = ticket
        guard asset.isActive else { throw .badParameter("asset \(asset.symbol) is not active") }
        guard asset.isTradable else { throw .notAllowed("asset \"\(asset.symbol)\" is not tradable") }
        if ticket.orderClass == .oneCancelsOther { ticket.limitPrice = ticket.takeProfitPrice }
        switch asset.assetClass {
        case .equity: try checkEquity(asset, ticket)
        case .crypto: try checkCrypto(&ticket)
        case .option: try checkOption(ticket)
        }
        try checkPrices(asset, ticket)
        return ticket
    }

    private func checkEquity(_ asset: Asset, _ ticket: OrderTicket) throws(BrokerRefusal) {
        if let quantity = ticket.quantity, quantity.scale > 9 {
            throw .notAllowed("qty must be limited to 9 decimal places")
        }
        if let notional = ticket.notional, notional.scale > 9 {
            throw .notAllowed("notional must be limited to 9 decimal places")
        }
        if ticket.notional != nil || ticket.quantity?.isWhole == false {
            // 403 and not 422, as recorded.
            guard asset.isFractionable else { throw .forbidden("asset \"\(asset.symbol)\" is not fractionable") }
            guard ticket.orderClass == .simple else { throw .notAllowed("fractional orders must be simple orders") }
            guard ticket.type != .trailingStop else {
                throw .notAllowed("fractional orders must be market, limit, stop, or stop_limit orders")
            }
            guard ticket.timeInForce == .day else { throw .notAllowed("fractional orders must be DAY orders") }
        }
        if ticket.extendedHours {
            guard ticket.type == .limit, ticket.timeInForce == .day || ticket.timeInForce == .goodTillCanceled,
                ticket.orderClass == .simple
            else { throw .notAllowed("extended hours order must be DAY or GTC limit orders") }
        }
        if asset.isShortable, !asset.isEasyToBorrow, ticket.timeInForce != .day {
            throw .notAllowed("only day orders are allowed for hard-to-borrow asset \"\(asset.symbol)\"")
        }
        if ticket.timeInForce == .atOpening, isMarketOpen {
            throw .forbidden("opg orders must be submitted after 7:00pm and before 9:28am")
        }
        if ticket.type == .market, haltedSymbols.contains(asset.symbol) {
            throw .notAllowed(
                "market order rejected due to trading halt on symbol: \"\(asset.symbol)\", "
                    + "please place a limit order instead")
        }
    }

    private func checkCrypto(_ ticket: inout OrderTicket) throws(BrokerRefusal) {
        guard ticket.orderClass == .simple else { throw .notAllowed("crypto orders must be simple orders") }
        switch ticket.type {
        case .market, .limit, .stopLimit: break
        case .stop, .trailingStop: throw .badParameter("invalid order type for crypto order")
        }
        switch ticket.timeInForce {
        case .goodTillCanceled, .immediateOrCancel: break
        case .day, .atOpening, .atClose, .fillOrKill: throw .notAllowed("invalid crypto time_in_force")
        }
        if let notional = ticket.notional, notional.scale > 2 {
            throw .notAllowed("notional value must be limited to 2 decimal places")
        }
        ticket.quantity = ticket.quantity?.truncated(places: 9)
        ticket.limitPrice = ticket.limitPrice?.truncated(places: 9)
        ticket.stopPrice = ticket.stopPrice?.truncated(places: 9)
        if ticket.quantity?.isZero == true { throw .badParameter("qty must be > 0") }
    }

    private func checkOption(_ ticket: OrderTicket) throws(BrokerRefusal) {
        guard ticket.orderClass == .simple else {
            throw .notAllowed("complex orders not supported for options trading")
        }
        guard let quantity = ticket.quantity, quantity.isWhole else { throw .badParameter("qty must be integer") }
        guard ticket.type == .market || ticket.type == .limit else {
            throw .notAllowed("invalid order type for options trading")
        }
        let isGoodTillCanceledLimit = ticket.timeInForce == .goodTillCanceled && ticket.type == .limit
        guard ticket.timeInForce == .day || isGoodTillCanceledLimit else {
            throw .notAllowed("order_time_in_force provided not supported for options trading")
        }
        guard !ticket.extendedHours else { throw .notAllowed("extended hours not supported for options trading") }
    }

    // MARK: Prices

    private func checkPrices(_ asset: Asset, _ ticket: OrderTicket) throws(BrokerRefusal) {
        if asset.assetClass != .crypto {
            try checkIncrement(ticket.limitPrice, "limit_price")
            try checkIncrement(ticket.stopPrice, "stop_price")
            try checkIncrement(ticket.trailPrice, "trail_price")
            try checkIncrement(ticket.takeProfitPrice, "take_profit.limit_price")
            try checkIncrement(ticket.stopLossPrice, "stop_loss.stop_price")
            try checkIncrement(ticket.stopLossLimitPrice, "stop_loss.limit_price")
        }
        let market = price(of: asset)
        if let stop = ticket.stopPrice, asset.assetClass == .equity {
            let isBuy = ticket.side == .buy
            if isBuy ? stop <= market : stop >= market {
                throw .notAllowed(
                    "stop price must be \(isBuy ? "greater" : "less") than current price",
                    [.init("market_price", .string(market.text)), .init("stop_price", .string(stop.text))])
            }
        }
        guard ticket.orderClass == .bracket || ticket.orderClass == .oneTriggersOther else { return }
        let base = ticket.limitPrice ?? market
        let cent = ExactDecimal(1).divided(by: ExactDecimal(100))
        switch ticket.side {
        case .buy:
            if let stop = ticket.stopLossPrice, stop > base - cent {
                throw .notAllowed("stop price must be less than base_price - 0.01")
            }
            if let limit = ticket.takeProfitPrice, limit < base + cent {
                throw .notAllowed("take_profit.limit_price must be >= base_price + 0.01")
            }
        case .sell:
            if let stop = ticket.stopLossPrice, stop < base + cent {
                throw .notAllowed("stop price must be greater than base_price + 0.01")
            }
            if let limit = ticket.takeProfitPrice, limit > base - cent {
                throw .notAllowed("take_profit.limit_price must be <= base_price - 0.01")
            }
        case nil: break
        }
    }

    /// At most two places from one dollar up, four below (Alpaca's documents, "sub-penny increments").
    func checkIncrement(_ price: ExactDecimal?, _ field: String) throws(BrokerRefusal) {
        guard let price else { return }
        guard price.scale <= (price.magnitude >= ExactDecimal(1) ? 2 : 4) else {
            throw .notAllowed(
                "invalid \(field) \(price.text). sub-penny increment does not fulfill minimum pricing criteria")
        }
    }

    // MARK: The account

    /// - Returns: What the order does to the position.
    func checkAccount(_ asset: Asset, _ ticket: OrderTicket) throws(BrokerRefusal) -> SimulatedPositionIntent? {
        guard let side = ticket.side else { return nil }
        let inferred = inferredIntent(asset, side)
        if let specified = ticket.intent, specified != inferred {
            throw .notAllowed(
                "position intent mismatch, inferred: \(inferred.rawValue), specified: \(specified.rawValue)")
        }
        try checkMinimum(asset, ticket)
        switch side {
        case .buy: try checkFunds(asset, ticket)
        case .sell: try checkQuantity(asset, ticket)
        }
        if settings.refusesWashTrades { try checkWashTrade(asset, ticket, side) }
        return inferred
    }

    func inferredIntent(_ asset: Asset, _ side: OrderSide) -> SimulatedPositionIntent {
        let held = positions[asset.symbol]?.quantity ?? .zero
        switch side {
        case .buy: return held < .zero ? .buyToClose : .buyToOpen
        case .sell: return held.isPositive ? .sellToClose : .sellToOpen
        }
    }

    /// A whole share of a stock below one dollar was taken in the recordings, so the minimum of an equity is asked
    /// of parts of shares only.
    private func checkMinimum(_ asset: Asset, _ ticket: OrderTicket) throws(BrokerRefusal) {
        let value = ticket.notional ?? (ticket.quantity ?? .zero).times(ticket.limitPrice ?? price(of: asset))
        switch asset.assetClass {
        case .crypto:
            if value < ExactDecimal(10) { throw .forbidden("cost basis must be >= minimal amount of order 10") }
        case .equity:
            if ticket.quantity?.isWhole == false, value < ExactDecimal(1) {
                throw .forbidden("cost basis must be >= minimal amount of order 1")
            }
        case .option: break
        }
    }

    /// What an order may cost at most: its limit, or the market price with the margin of Alpaca's collars.
    func cost(of ticket: OrderTicket, _ asset: Asset) -> ExactDecimal {
        if let notional = ticket.notional { return notional }
        let market = price(of: asset)
        var price = ticket.limitPrice ?? ticket.stopPrice ?? market
        if ticket.limitPrice == nil, asset.assetClass == .equity {
            let perMille = price < ExactDecimal(50) ? 1040 : 1025
            price = price.times(ExactDecimal(perMille)).divided(by: ExactDecimal(1000))
        }
        return (ticket.quantity ?? .zero).times(price).times(ExactDecimal(asset.multiplier)).truncated(places: 2)
    }

    private func checkFunds(_ asset: Asset, _ ticket: OrderTicket) throws(BrokerRefusal) {
        let held = positions[asset.symbol]?.quantity ?? .zero
        let coversShort = held < .zero && (ticket.quantity ?? .zero) <= held.magnitude
        guard !coversShort else { return }
        let cost = cost(of: ticket, asset)
        switch asset.assetClass {
        case .equity:
            guard cost <= buyingPower else { throw Exchange.insufficient("buying_power", buyingPower, cost) }
        case .crypto:
            guard cost <= cashBuyingPower else { throw Exchange.insufficient("buying_power", cashBuyingPower, cost) }
        case .option:
            guard cost <= cashBuyingPower else {
                throw Exchange.insufficient("options_buying_power", cashBuyingPower, cost)
            }
        }
    }

    private static func insufficient(_ field: String, _ power: ExactDecimal, _ cost: ExactDecimal) -> BrokerRefusal {
        .forbidden(
            "insufficient \(field.split(separator: "_").joined(separator: " "))",
            [.init(field, .string(power.text)), .init("cost_basis", .string(cost.text))])
    }

    private func checkQuantity(_ asset: Asset, _ ticket: OrderTicket) throws(BrokerRefusal) {
        let held = positions[asset.symbol]?.quantity ?? .zero
        let reserved = reservedToSell[asset.symbol] ?? .zero
        let requested = ticket.quantity ?? (ticket.notional ?? .zero).divided(by: price(of: asset))
        let available = max(held - reserved, .zero)
        if asset.assetClass == .crypto {
            guard requested <= available else {
                let coin = asset.symbol.prefix { $0 != "/" }
                throw .forbidden(
                    "insufficient balance for \(coin) (requested: \(requested.text), available: \(available.text))",
                    [
                        .init("available", .string(available.text)), .init("balance", .string(held.text)),
                        .init("symbol", "USD"),
                    ])
            }
            return
        }
        if held.isPositive {
            guard requested <= available else {
                throw .forbidden(
                    "insufficient qty available for order "
                        + "(requested: \(requested.text), available: \(available.text))",
                    insufficientQuantity(asset, held: held, reserved: reserved, available: available))
            }
            return
        }
        if asset.assetClass == .option {
            throw .forbidden("account not eligible to trade uncovered option contracts")
        }
        try checkShort(asset, ticket)
    }

    private func insufficientQuantity(
        _ asset: Asset, held: ExactDecimal, reserved: ExactDecimal, available: ExactDecimal
    ) -> [JSONValue.Member] {
        var fields: [JSONValue.Member] = [
            .init("available", .string(available.text)), .init("existing_qty", .string(held.text)),
            .init("held_for_orders", .string(reserved.text)), .init("symbol", .string(asset.symbol)),
        ]
        let related = liveOrders(asset.symbol, .sell)
        if !related.isEmpty { fields.append(.init("related_orders", .array(related.map { .string(orders[$0].id) }))) }
        return fields
    }

    private func checkShort(_ asset: Asset, _ ticket: OrderTicket) throws(BrokerRefusal) {
        guard ticket.notional == nil, ticket.quantity?.isWhole == true else {
            throw .notAllowed("fractional orders cannot be sold short")
        }
        guard asset.isShortable else { throw .notAllowed("asset \"\(asset.symbol)\" cannot be sold short") }
        guard isShortingEnabled else { throw .forbidden("account is not allowed to short") }
        let cost = cost(of: ticket, asset)
        guard cost <= buyingPower else { throw Exchange.insufficient("buying_power", buyingPower, cost) }
    }

    /// Source: "User Protection" in Alpaca's documents. Brackets, oco, oto and trailing stops are exempt.
    private func checkWashTrade(_ asset: Asset, _ ticket: OrderTicket, _ side: OrderSide) throws(BrokerRefusal) {
        guard ticket.orderClass == .simple, ticket.type != .trailingStop else { return }
        let opposite = liveOrders(asset.symbol, side.opposite)
        if let order = opposite.first(where: { orders[$0].type == .market || orders[$0].type == .stop }) {
            throw washTrade(with: order, "opposite side market/stop order exists")
        }
        let crossing = opposite.first { index in
            guard let theirs = orders[index].limitPrice else { return false }
            guard let ours = ticket.limitPrice else { return true }
            return side == .buy ? ours >= theirs : ours <= theirs
        }
        if let crossing { throw washTrade(with: crossing, "opposite side limit order exists") }
    }

    private func washTrade(with order: Int, _ reason: String) -> BrokerRefusal {
        .forbidden(
            "potential wash trade detected. use complex orders",
            [.init("existing_order_id", .string(orders[order].id)), .init("reject_reason", .string(reason))])
    }

    private func liveOrders(_ symbol: String, _ side: OrderSide) -> [Int] {
        liveBySymbol[SymbolAndSide(symbol: symbol, side: side)]?.sorted ?? []
    }
}
