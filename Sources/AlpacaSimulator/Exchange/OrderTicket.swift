package import StrictJSON
package import TradingCore

/// A request for an order whose parameters are consistent in themselves. Whether the asset and the account allow it
/// is looked at afterwards.
package struct OrderTicket: Sendable {
    /// One part of an order of several legs.
    package struct Leg: Sendable {
        package let symbol: String
        package let side: OrderSide
        package let ratio: ExactDecimal
        package let intent: SimulatedPositionIntent?
    }

    /// Empty for an order of several legs.
    package var symbol = ""
    package var quantity: ExactDecimal?
    package var notional: ExactDecimal?
    /// Nil for an order of several legs.
    package var side: OrderSide?
    package var type = SimulatedOrderType.market
    package var timeInForce = SimulatedTimeInForce.day
    package var orderClass = SimulatedOrderClass.simple
    package var limitPrice: ExactDecimal?
    package var stopPrice: ExactDecimal?
    package var trailPrice: ExactDecimal?
    package var trailPercent: ExactDecimal?
    package var extendedHours = false
    package var clientOrderID: String?
    package var intent: SimulatedPositionIntent?
    package var takeProfitPrice: ExactDecimal?
    package var stopLossPrice: ExactDecimal?
    package var stopLossLimitPrice: ExactDecimal?
    package var legs: [Leg] = []

    /// Source of the older limit of 48 and of this one: Alpaca's documents; the refusal was recorded.
    package static let clientOrderIDLengthMax = 128

    init() {}

    /// Reads and checks the parameters. The texts of the refusals are Alpaca's where one is known (see
    /// `BrokerRefusal`); the few others follow their wording.
    package init(_ body: JSONValue) throws(BrokerRefusal) {
        let fields = try RequestFields(body)
        orderClass = try OrderTicket.orderClass(fields)
        try readWhat(fields)
        try readHow(fields)
        try readPrices(fields)
        try readExits(fields)
        clientOrderID = try fields.text("client_order_id")
        if let clientOrderID, clientOrderID.unicodeScalars.count > OrderTicket.clientOrderIDLengthMax {
            throw .badParameter("client_order_id must be no more than 128 characters")
        }
        if let text = try fields.text("position_intent") {
            guard let intent = SimulatedPositionIntent(rawValue: text) else {
                throw .badParameter("invalid position_intent")
            }
            self.intent = intent
        }
    }

    private static func orderClass(_ fields: RequestFields) throws(BrokerRefusal) -> SimulatedOrderClass {
        guard let text = try fields.text("order_class") else { return .simple }
        guard let orderClass = SimulatedOrderClass(rawValue: text) else { throw .badParameter("invalid order_class") }
        return orderClass
    }

    // MARK: Symbol, side, quantity

    private mutating func readWhat(_ fields: RequestFields) throws(BrokerRefusal) {
        if orderClass == .multipleLegs {
            guard try fields.text("symbol") == nil else {
                throw .badParameter("symbol is not allowed for mleg order")
            }
            try readLegs(fields)
        } else {
            guard let symbol = try fields.text("symbol") else { throw .badParameter("symbol is required") }
            self.symbol = symbol
            side = try fields.word("side", orRefuse: "invalid side") as OrderSide
        }
        quantity = try fields.amount("qty")
        notional = try fields.amount("notional")
        switch (quantity, notional) {
        case (nil, nil): throw .badParameter("qty or notional is required")
        case (.some, .some): throw .badParameter("only one of qty or notional is accepted")
        case (.some(let quantity), nil):
            guard quantity.isPositive else { throw .badParameter("qty must be > 0") }
            if orderClass == .multipleLegs, !quantity.isWhole { throw .badParameter("qty must be integer") }
        case (nil, .some(let notional)):
            guard notional >= ExactDecimal(1) else { throw .badParameter("notional must be >= 1.00") }
            if orderClass == .multipleLegs { throw .badParameter("qty is required for mleg order") }
        }
    }

    private mutating func readLegs(_ fields: RequestFields) throws(BrokerRefusal) {
        guard let list = try fields.list("legs"), (2...4).contains(list.count) else {
            throw .badParameter("mleg orders require between 2 and 4 legs")
        }
        for leg in list {
            guard let symbol = try leg.text("symbol") else { throw .badParameter("symbol is required") }
            guard let ratio = try leg.amount("ratio_qty"), ratio.isPositive, ratio.isWhole else {
                throw .badParameter("ratio_qty must be > 0")
            }
            var intent: SimulatedPositionIntent?
            if let text = try leg.text("position_intent") {
                intent = SimulatedPositionIntent(rawValue: text)
                if intent == nil { throw .badParameter("invalid position_intent") }
            }
            let side: OrderSide
            switch (try leg.text("side"), intent) {
            case (nil, .buyToOpen), (nil, .buyToClose): side = .buy
            case (nil, .sellToOpen), (nil, .sellToClose): side = .sell
            case (nil, nil): throw .badParameter("invalid side")
            case (.some, _): side = try leg.word("side", orRefuse: "invalid side")
            }
            legs.append(Leg(symbol: symbol, side: side, ratio: ratio, intent: intent))
        }
    }

    // MARK: Type and prices

    private mutating func readHow(_ fields: RequestFields) throws(BrokerRefusal) {
        type = try fields.word("type", orRefuse: "invalid order type")
        timeInForce = try fields.word("time_in_force", orRefuse: "invalid time_in_force")
        extendedHours = try fields.flag("extended_hours")
        if orderClass == .multipleLegs {
            guard type == .market || type == .limit else { throw .badParameter("invalid order type") }
            guard timeInForce == .day else { throw .badParameter("invalid time_in_force") }
        }
    }

    private mutating func readPrices(_ fields: RequestFields) throws(BrokerRefusal) {
        limitPrice = try fields.amount("limit_price")
        stopPrice = try fields.amount("stop_price")
        trailPrice = try fields.amount("trail_price")
        trailPercent = try fields.amount("trail_percent")?.truncated(places: 9)
        if type != .trailingStop {
            if trailPrice != nil { throw .badParameter("\(type.rawValue) orders must not have trail_price") }
            if trailPercent != nil { throw .badParameter("\(type.rawValue) orders must not have trail_percent") }
        }
        switch type {
        case .market:
            guard limitPrice == nil, stopPrice == nil else {
                throw .badParameter("market orders require no stop or limit price")
            }
        case .limit:
            // The limit of an oco order may stand in its take_profit alone.
            guard limitPrice != nil || orderClass == .oneCancelsOther else {
                throw .badParameter("limit orders require a limit price")
            }
            guard stopPrice == nil else { throw .badParameter("limit orders require no stop price") }
        case .stop:
            guard stopPrice != nil else { throw .badParameter("stop orders require a stop price") }
            guard limitPrice == nil else { throw .badParameter("stop orders require no limit price") }
        case .stopLimit:
            guard stopPrice != nil, limitPrice != nil else {
                throw .badParameter("stop limit orders require both stop and limit price")
            }
        case .trailingStop:
            guard (trailPrice == nil) != (trailPercent == nil) else {
                throw .badParameter("trailing stop orders must specify one of trail_price or trail_percent")
            }
            guard limitPrice == nil, stopPrice == nil else {
                throw .badParameter("trailing stop orders require no stop or limit price")
            }
        }
        try checkSigns()
    }

    private func checkSigns() throws(BrokerRefusal) {
        // The limit of several legs is negative when it is a credit.
        if let limitPrice, !limitPrice.isPositive, orderClass != .multipleLegs {
            throw .badParameter("limit price must be > 0")
        }
        if let stopPrice, !stopPrice.isPositive { throw .badParameter("stop price must be > 0") }
        if let trailPrice, !trailPrice.isPositive { throw .badParameter("trail price must be > 0") }
        if let trailPercent, trailPercent.times(ExactDecimal(10)) < ExactDecimal(1) {
            throw .badParameter("trail_percent must be >= 0.1")
        }
    }

    // MARK: Exits of brackets

    private mutating func readExits(_ fields: RequestFields) throws(BrokerRefusal) {
        // Without an order_class Alpaca passes over take_profit and stop_loss and says nothing (alpaca-py #289).
        guard orderClass != .simple, orderClass != .multipleLegs else { return }
        let takeProfit = try fields.fields("take_profit")
        let stopLoss = try fields.fields("stop_loss")
        takeProfitPrice = try takeProfit?.amount("limit_price")
        stopLossPrice = try stopLoss?.amount("stop_price")
        stopLossLimitPrice = try stopLoss?.amount("limit_price")
        let name = orderClass.rawValue
        switch orderClass {
        case .simple, .multipleLegs: break
        case .bracket:
            guard takeProfitPrice != nil else { throw .badParameter("bracket orders require take_profit.limit_price") }
            guard stopLossPrice != nil else { throw .badParameter("bracket orders require stop_loss.stop_price") }
        case .oneCancelsOther:
            guard type == .limit else { throw .badParameter("oco orders must be limit orders") }
            takeProfitPrice = takeProfitPrice ?? limitPrice
            guard takeProfitPrice != nil else { throw .badParameter("oco orders require take_profit.limit_price") }
            guard stopLossPrice != nil else { throw .badParameter("oco orders require stop_loss.stop_price") }
        case .oneTriggersOther:
            guard (takeProfit == nil) != (stopLoss == nil), (takeProfitPrice == nil) != (stopLossPrice == nil) else {
                throw .badParameter("oto orders require either take_profit or stop_loss")
            }
        }
        if orderClass != .oneCancelsOther, type != .market, type != .limit {
            throw .badParameter("\(name) orders must be market or limit orders")
        }
        guard timeInForce == .day || timeInForce == .goodTillCanceled else {
            throw .badParameter("\(name) orders must be DAY or GTC orders")
        }
        if let takeProfitPrice, let stopLossPrice {
            // The exits of a bought position are sold: profit above, loss below.
            let exitIsSold = (side == .sell) == (orderClass == .oneCancelsOther)
            if exitIsSold, takeProfitPrice <= stopLossPrice {
                throw .notAllowed("take_profit.limit_price must be > stop_loss.stop_price")
            }
            if !exitIsSold, takeProfitPrice >= stopLossPrice {
                throw .notAllowed("take_profit.limit_price must be < stop_loss.stop_price")
            }
        }
    }
}
