/// What is to be bought or sold and how: everything of a decision that the broker gets to see, checked for shape.
///
/// The words of the enumerations are the broker's own (source: Alpaca, "Placing Orders").
package struct OrderTerms: Equatable, Sendable {
    /// Nil for a multi-leg order only.
    package var symbol: Symbol?
    /// Nil for a multi-leg order only.
    package var side: Side?
    package var amount: Amount
    package var type: OrderType
    package var timeInForce: TimeInForce
    package var limitPrice: Price?
    package var stopPrice: Price?
    package var trailPrice: Price?
    /// In percent; the broker takes 0.1 and more.
    package var trailPercent: Price?
    package var extendedHours: Bool?
    package var positionIntent: PositionIntent?
    package var orderClass: OrderClass?
    package var takeProfit: TakeProfit?
    package var stopLoss: StopLoss?
    /// Two to four for a multi-leg order, none for every other.
    package var legs: [Leg]

    package init(
        symbol: Symbol?, side: Side?, amount: Amount, type: OrderType = .market, timeInForce: TimeInForce = .day,
        limitPrice: Price? = nil, stopPrice: Price? = nil, trailPrice: Price? = nil, trailPercent: Price? = nil,
        extendedHours: Bool? = nil, positionIntent: PositionIntent? = nil, orderClass: OrderClass? = nil,
        takeProfit: TakeProfit? = nil, stopLoss: StopLoss? = nil, legs: [Leg] = []
    ) {
        self.symbol = symbol
        self.side = side
        self.amount = amount
        self.type = type
        self.timeInForce = timeInForce
        self.limitPrice = limitPrice
        self.stopPrice = stopPrice
        self.trailPrice = trailPrice
        self.trailPercent = trailPercent
        self.extendedHours = extendedHours
        self.positionIntent = positionIntent
        self.orderClass = orderClass
        self.takeProfit = takeProfit
        self.stopLoss = stopLoss
        self.legs = legs
    }
}

package enum Side: String, CaseIterable, Sendable {
    case buy
    case sell
}

/// How much: shares, coins or contracts, or else an amount of money. Exactly one of the two.
package enum Amount: Equatable, Sendable {
    case quantity(Quantity)
    case notional(Notional)
}

/// A number of shares, coins or contracts. Greater than zero, at most nine decimal places: the broker silently cuts
/// what is finer, so it is refused here.
package struct Quantity: Hashable, Sendable {
    package let value: ExactDecimal

    package init?(_ value: ExactDecimal) {
        guard value.isPositive, value.scale <= 9 else { return nil }
        self.value = value
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(value.withoutTrailingZeros.text) }
}

/// An amount of money in dollars. Greater than zero, at most nine decimal places.
package struct Notional: Hashable, Sendable {
    package let value: ExactDecimal

    package init?(_ value: ExactDecimal) {
        guard value.isPositive, value.scale <= 9 else { return nil }
        self.value = value
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(value.withoutTrailingZeros.text) }
}

/// A price or a distance of prices in dollars. Its sign is checked where it is used: a multi-leg order's limit may be
/// negative (a credit), all others are positive.
package struct Price: Equatable, Sendable {
    package let value: ExactDecimal

    package init(_ value: ExactDecimal) {
        self.value = value
    }
}

package enum OrderType: String, CaseIterable, Sendable {
    case market
    case limit
    case stop
    case stopLimit = "stop_limit"
    case trailingStop = "trailing_stop"
}

package enum TimeInForce: String, CaseIterable, Sendable {
    case day
    case goodTillCanceled = "gtc"
    case atOpening = "opg"
    case atClose = "cls"
    case immediateOrCancel = "ioc"
    case fillOrKill = "fok"
}

package enum PositionIntent: String, CaseIterable, Sendable {
    case buyToOpen = "buy_to_open"
    case buyToClose = "buy_to_close"
    case sellToOpen = "sell_to_open"
    case sellToClose = "sell_to_close"
}

package enum OrderClass: String, CaseIterable, Sendable {
    case simple
    case bracket
    case oneCancelsOther = "oco"
    case oneTriggersOther = "oto"
    case multiLeg = "mleg"
}

package struct TakeProfit: Equatable, Sendable {
    package var limitPrice: Price

    package init(limitPrice: Price) {
        self.limitPrice = limitPrice
    }
}

package struct StopLoss: Equatable, Sendable {
    package var stopPrice: Price
    package var limitPrice: Price?

    package init(stopPrice: Price, limitPrice: Price? = nil) {
        self.stopPrice = stopPrice
        self.limitPrice = limitPrice
    }
}

/// One option of a multi-leg order.
package struct Leg: Equatable, Sendable {
    package var symbol: Symbol
    /// How many contracts of this leg make one unit of the order. Whole and greater than zero.
    package var ratioQuantity: Quantity
    package var side: Side?
    package var positionIntent: PositionIntent?

    package init(symbol: Symbol, ratioQuantity: Quantity, side: Side?, positionIntent: PositionIntent?) {
        self.symbol = symbol
        self.ratioQuantity = ratioQuantity
        self.side = side
        self.positionIntent = positionIntent
    }
}
