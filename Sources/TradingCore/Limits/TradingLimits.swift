/// Every limit in force, as a limits file states them.
package struct TradingLimits: Equatable, Sendable {
    /// Over all strategies together; no strategy's own limits lift these.
    package var all = OrderLimits()
    /// For each strategy alone, where it has none of its own.
    package var each = OrderLimits()
    /// For strategies that have their own: what is not said there is as in `each`.
    package var strategies: [StrategyName: OrderLimits] = [:]
    /// Dollars for one share, coin or option, for orders that state no price themselves.
    package var referencePrices: [SymbolKey: Price] = [:]
    package var unpriced: Unpriced = .refuse

    /// What happens to an order under a limit of money when nothing says what it costs.
    package enum Unpriced: String, CaseIterable, Sendable {
        case refuse
        /// It passes, and counts nothing towards the money of its day.
        case allow
    }

    package init() {}

    /// The limits of one strategy alone.
    package func limits(of strategy: StrategyName) -> OrderLimits {
        strategies[strategy]?.over(each) ?? each
    }

    /// For how long what a strategy sends must be remembered for the sake of duplicates; nil where no limit asks for it.
    func duplicateWindow(of strategy: StrategyName) -> Microseconds? {
        [limits(of: strategy).duplicateWindow, all.duplicateWindow].compactMap { $0 }.max()
    }

    /// The longest time for which anything that was sent is remembered, the day aside.
    package var longestWindow: Microseconds {
        ([all, each] + strategies.values).compactMap(\.duplicateWindow).reduce(.seconds(60), max)
    }
}
