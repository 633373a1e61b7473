/// What the limits say to an order.
package enum LimitVerdict: Equatable, Sendable {
    case allowed
    /// - Parameter message: The figure and the limit, for a person.
    case refused(SendRefusal, message: String)
    /// The broker is to be asked what is held of this symbol.
    case needsPosition(Symbol)
    /// The broker is to be asked whether the market is open.
    case needsMarketHours
}

/// What the broker has said about something that limits ask for.
package enum BrokerWord<Meaning: Equatable & Sendable>: Equatable, Sendable {
    case notAsked
    case said(Meaning)
    /// It was asked several times, and gave no answer that can be read.
    case unavailable
}

/// One kind of limit. Their order here is the order in which they are looked at; the first that an order is against
/// decides. What needs the broker's word comes last.
enum LimitRule: CaseIterable {
    case symbols
    case sides
    case orderQuantity
    case orderNotional
    case duplicates
    case ordersPerMinute
    case ordersPerDay
    case notionalPerDay
    case marketHours
    case reduceOnly
}

/// An order that is about to be sent, with all that limits ask for.
package struct LimitCheck {
    let decision: Decision
    let limits: TradingLimits
    let counters: SendCounters
    let marketHours: BrokerWord<MarketHours>
    /// Of the order's symbol; nil in it where nothing is held.
    let position: BrokerWord<HeldPosition?>
    let now: MonotonicTime
    /// The strategy's own limits first, then those over all.
    let scopes: [Scope]

    /// Whose limits are looked at.
    struct Scope {
        let limits: OrderLimits
        /// Nil for all strategies together.
        let strategy: StrategyName?

        var text: String { strategy.map { "strategy \($0)" } ?? "all strategies" }
    }

    package init(
        _ decision: Decision, limits: TradingLimits, counters: SendCounters,
        marketHours: BrokerWord<MarketHours>, position: BrokerWord<HeldPosition?>, at now: MonotonicTime
    ) {
        self.decision = decision
        self.limits = limits
        self.counters = counters
        self.marketHours = marketHours
        self.position = position
        self.now = now
        scopes = [
            Scope(limits: limits.limits(of: decision.strategy), strategy: decision.strategy),
            Scope(limits: limits.all, strategy: nil),
        ]
    }

    var notional: OrderNotional { OrderNotional(of: decision.order, referencePrices: limits.referencePrices) }

    package var verdict: LimitVerdict {
        for rule in LimitRule.allCases {
            for scope in scopes {
                if let verdict = verdict(of: rule, scope) { return verdict }
            }
        }
        return .allowed
    }

    /// Nil where the order passes.
    private func verdict(of rule: LimitRule, _ scope: Scope) -> LimitVerdict? {
        switch rule {
        case .symbols: symbols(scope)
        case .sides: sides(scope)
        case .orderQuantity: orderQuantity(scope)
        case .orderNotional: orderNotional(scope)
        case .duplicates: duplicates(scope)
        case .ordersPerMinute: ordersPerMinute(scope)
        case .ordersPerDay: ordersPerDay(scope)
        case .notionalPerDay: notionalPerDay(scope)
        case .marketHours: marketHours(scope)
        case .reduceOnly: reduceOnly(scope)
        }
    }
}
