package import TradingCore

/// One order as the exchange keeps it. What Alpaca shows of it is written by `OrderText`.
package struct Order: Sendable {
    package let id: String
    package let clientOrderID: String
    /// Nil for the parent of several legs.
    package let asset: Asset?
    package let side: OrderSide?
    package let type: SimulatedOrderType
    package let timeInForce: SimulatedTimeInForce
    package let orderClass: SimulatedOrderClass
    package let quantity: ExactDecimal?
    package let notional: ExactDecimal?
    package let extendedHours: Bool
    package let intent: SimulatedPositionIntent?
    package let createdAt: Timestamp

    package var limitPrice: ExactDecimal?
    package var stopPrice: ExactDecimal?
    package var trailPrice: ExactDecimal?
    package var trailPercent: ExactDecimal?
    /// The best price since a trailing stop was placed.
    package var highWaterMark: ExactDecimal?
    /// For a leg of several: how many contracts of it make one unit.
    package var ratio: ExactDecimal?

    package var status: SimulatedOrderStatus
    package var filledQuantity = ExactDecimal.zero
    package var filledAveragePrice: ExactDecimal?

    package var updatedAt: Timestamp
    package var submittedAt: Timestamp
    package var expiresAt: Timestamp?
    package var filledAt: Timestamp?
    package var expiredAt: Timestamp?
    package var canceledAt: Timestamp?
    package var failedAt: Timestamp?
    package var replacedAt: Timestamp?
    /// Order ids.
    package var replacedBy: String?
    package var replaces: String?

    /// Indices of the orders that hang on this one.
    var legs: [Int] = []
    var parent: Int?
    /// Which plan of events is in force; events of earlier ones are void.
    var plan = 0
    var script: Script?
    /// Until then no look-up and no listing shows the order.
    var hiddenUntil: Timestamp?
    /// When it was sent to the venue; the delay of its fill counts from here.
    var startedAt: Timestamp
    /// Whether a stop has been reached.
    var isTriggered = false
    /// What the order keeps others from spending or selling.
    var reservedCash = ExactDecimal.zero
    var reservedQuantity = ExactDecimal.zero

    package var symbol: String { asset?.symbol ?? "" }

    init(
        id: String, clientOrderID: String, ticket: OrderTicket, asset: Asset?, intent: SimulatedPositionIntent?,
        createdAt: Timestamp, status: SimulatedOrderStatus
    ) {
        self.id = id
        self.clientOrderID = clientOrderID
        self.asset = asset
        side = ticket.side
        type = ticket.type
        timeInForce = ticket.timeInForce
        orderClass = ticket.orderClass
        quantity = ticket.quantity
        notional = ticket.notional
        extendedHours = ticket.extendedHours
        self.intent = intent
        self.createdAt = createdAt
        limitPrice = ticket.limitPrice
        stopPrice = ticket.stopPrice
        trailPrice = ticket.trailPrice
        trailPercent = ticket.trailPercent
        self.status = status
        updatedAt = createdAt
        submittedAt = createdAt
        startedAt = createdAt
    }

    /// Whether the order fills some three milliseconds after it came, without ever showing `new`: those recorded
    /// were all market orders for part of a share or for an amount of money.
    var fillsAtOnce: Bool {
        guard type == .market, let asset else { return false }
        return notional != nil || asset.assetClass == .crypto || quantity?.isWhole == false
    }
}
