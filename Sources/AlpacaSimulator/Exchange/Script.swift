package import TradingCore

/// One thing a script makes happen to an order.
package struct ScriptStep: Sendable, Equatable {
    /// Milliseconds after the order was created, whether the market is open or not. A step at 0 shows in the answer to
    /// the POST.
    package let afterMilliseconds: Int64
    package let status: SimulatedOrderStatus
    /// All that is filled by then, not only by this step.
    package let filledQuantity: ExactDecimal?
    /// The price of what this step fills; the asset's own where absent.
    package let price: ExactDecimal?

    package init(
        afterMilliseconds: Int64, status: SimulatedOrderStatus, filledQuantity: ExactDecimal? = nil,
        price: ExactDecimal? = nil
    ) {
        self.afterMilliseconds = afterMilliseconds
        self.status = status
        self.filledQuantity = filledQuantity
        self.price = price
    }
}

/// A life that orders live instead of their own: those of a symbol, or the one with a client order id.
package struct Script: Sendable, Equatable {
    package let symbol: String?
    package let clientOrderID: String?
    /// What the answer to the POST says; nil leaves it as it would be.
    package let initialStatus: SimulatedOrderStatus?
    package let steps: [ScriptStep]
    /// How many orders it is good for; nil for every one.
    package var timesLeft: Int?

    package init(
        symbol: String? = nil, clientOrderID: String? = nil, initialStatus: SimulatedOrderStatus? = nil,
        steps: [ScriptStep], times: Int? = nil
    ) {
        self.symbol = symbol
        self.clientOrderID = clientOrderID
        self.initialStatus = initialStatus
        self.steps = steps
        timesLeft = times
    }

    func matches(symbol: String, clientOrderID: String) -> Bool {
        timesLeft != 0 && (self.symbol == nil || self.symbol == symbol)
            && (self.clientOrderID == nil || self.clientOrderID == clientOrderID)
    }
}
