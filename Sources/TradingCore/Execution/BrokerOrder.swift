/// An order as the broker shows it in one answer.
package struct BrokerOrder: Equatable, Sendable {
    package var id: String
    package var clientOrderID: String
    package var status: OrderStatus
    /// Nil or empty for the parent of a multi-leg order.
    package var symbol: String?
    /// Nil or empty for the parent of a multi-leg order.
    package var side: String?
    package var quantity: ExactDecimal?
    package var notional: ExactDecimal?
    package var filledQuantity: ExactDecimal?
    package var filledAveragePrice: ExactDecimal?
    package var commission: ExactDecimal?
    package var submittedAt: Timestamp?
    package var updatedAt: Timestamp?
    package var filledAt: Timestamp?
    package var failedAt: Timestamp?
    /// The id of the order that took this one's place.
    package var replacedBy: String?
    package var legs: [BrokerOrder]

    package init(
        id: String, clientOrderID: String, status: OrderStatus, symbol: String? = nil, side: String? = nil,
        quantity: ExactDecimal? = nil, notional: ExactDecimal? = nil, filledQuantity: ExactDecimal? = nil,
        filledAveragePrice: ExactDecimal? = nil, commission: ExactDecimal? = nil, submittedAt: Timestamp? = nil,
        updatedAt: Timestamp? = nil, filledAt: Timestamp? = nil, failedAt: Timestamp? = nil, replacedBy: String? = nil,
        legs: [BrokerOrder] = []
    ) {
        self.id = id
        self.clientOrderID = clientOrderID
        self.status = status
        self.symbol = symbol
        self.side = side
        self.quantity = quantity
        self.notional = notional
        self.filledQuantity = filledQuantity
        self.filledAveragePrice = filledAveragePrice
        self.commission = commission
        self.submittedAt = submittedAt
        self.updatedAt = updatedAt
        self.filledAt = filledAt
        self.failedAt = failedAt
        self.replacedBy = replacedBy
        self.legs = legs
    }

    /// The first leg's commission, else the order's, else 0.
    package var commissionOfFirstLegOrOrder: ExactDecimal {
        legs.first?.commission ?? commission ?? .zero
    }

    /// This order as its author gave it. The broker shows an OCO order as its take-profit with the stop-loss for a leg, and
    /// cancels the one when the other fills; the take-profit alone would tell a stopped-out position as an order that
    /// came to nothing.
    package func asGiven(by terms: OrderTerms) -> BrokerOrder {
        guard terms.orderClass == .oneCancelsOther, status != .replaced else { return self }
        let exits = [self] + legs
        let fills = exits.filter { $0.filledQuantity?.isPositive ?? false }
        let quantities = exits.compactMap(\.filledQuantity)
        var one = self
        one.filledQuantity = quantities.isEmpty ? nil : quantities.reduce(.zero, +)
        one.filledAveragePrice = fills.count == 1 ? fills.first?.filledAveragePrice : nil
        one.filledAt = exits.compactMap(\.filledAt).first
        one.updatedAt = exits.compactMap(\.updatedAt).max()
        if status.isEnd, status != .filled {
            let living = legs.first { !$0.status.isEnd }
            let filled = legs.first { $0.status == .filled }
            one.status = (living ?? filled ?? self).status
        }
        return one
    }

    /// Whether this order could be the one that `terms` asked for: same symbol, side and amount, where the broker
    /// shows them. Only what plainly contradicts says no, since to disown an order of ours would be worse.
    package func couldBe(_ terms: OrderTerms) -> Bool {
        if let wanted = terms.symbol, let symbol, symbol.lettersAndDigits != wanted.text.lettersAndDigits {
            return false
        }
        if let wanted = terms.side, let side = side.flatMap(Side.init), side != wanted { return false }
        switch terms.amount {
        case .quantity(let wanted): return quantity.map { $0 == wanted.value } ?? (notional == nil)
        case .notional(let wanted): return notional.map { $0 == wanted.value } ?? (quantity == nil)
        }
    }
}

extension String {
    /// The broker writes crypto pairs with and without a slash, and in capitals what it was given in small letters.
    fileprivate var lettersAndDigits: String { String(filter { $0.isLetter || $0.isNumber }).uppercased() }
}
