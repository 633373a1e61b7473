/// What a message on the intake asks for.
package enum Request: Equatable, Sendable {
    case decision(Decision)
    case replay(ReplayRequest)
    /// A wish to have unknown attempts looked up now: one, or all.
    case reconcile(ClientOrderID?)
    case status
    case ping
}

/// A subscriber's wish to get outcomes again.
package struct ReplayRequest: Equatable, Sendable {
    /// One strategy, with `after` counting its `strategy_seq`; or nil for all, with `after` counting `seq`.
    package var strategy: StrategyName?
    /// The last counter that the subscriber has.
    package var after: Int64
    /// How many outcomes at most; 1 to `limitMax`.
    package var limit: Int

    package static let limitMax = 500

    package init(strategy: StrategyName?, after: Int64, limit: Int = ReplayRequest.limitMax) {
        self.strategy = strategy
        self.after = after
        self.limit = limit
    }
}

/// A message that is not taken, with as much of its sender's names as could be read.
package struct RefusedFrame: Error, Equatable, Sendable {
    package var refusal: Refusal
    package var decisionID: String?
    package var strategyName: String?

    package init(_ refusal: Refusal, decisionID: String? = nil, strategyName: String? = nil) {
        self.refusal = refusal
        self.decisionID = decisionID
        self.strategyName = strategyName
    }
}
