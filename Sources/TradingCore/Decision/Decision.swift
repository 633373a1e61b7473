/// A strategy's order to trade, as its author sent it. Identified by its strategy and id together, for ever.
package struct Decision: Equatable, Sendable {
    package var id: DecisionID
    package var strategy: StrategyName
    package var order: OrderTerms
    /// The author's own deadline; without one the worker's `max_age` applies.
    package var deadline: RequestedDeadline?
    /// The author's gap-free counter, from 1; nil for authors who keep none.
    package var sequence: Int64?
    /// A JSON object, as it came.
    package var rationale: String?

    package init(
        id: DecisionID, strategy: StrategyName, order: OrderTerms, deadline: RequestedDeadline? = nil,
        sequence: Int64? = nil, rationale: String? = nil
    ) {
        self.id = id
        self.strategy = strategy
        self.order = order
        self.deadline = deadline
        self.sequence = sequence
        self.rationale = rationale
    }

    package var clientOrderID: ClientOrderID { ClientOrderID(strategy, id) }
}

/// When a decision goes stale, in its author's words.
package enum RequestedDeadline: Equatable, Sendable {
    case at(Timestamp)
    /// Counted from acceptance; at most ten years.
    case after(Microseconds)
}

/// Where a decision stands. The journal stores exactly these words.
package enum DecisionStatus: String, CaseIterable, Sendable {
    /// Accepted and durable; nothing was sent.
    case pending
    /// Its one attempt has begun and its order, if there is one, has not ended.
    case executing
    /// Final: the order ended with some quantity filled.
    case executed
    /// Final: refused, never sent, or ended with nothing filled.
    case failed

    package var isFinal: Bool {
        switch self {
        case .pending, .executing: false
        case .executed, .failed: true
        }
    }
}
