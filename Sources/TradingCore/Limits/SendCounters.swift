/// What was sent lately, as far as limits ask for it. It follows the database: whoever keeps it counts what begins
/// there, and makes it anew when the day changes or the limits do.
package struct SendCounters: Sendable {
    /// One order that was begun.
    fileprivate struct Sent: Sendable {
        let decision: Decision
        let notional: OrderNotional
        let at: MonotonicTime
        let isOfToday: Bool
        /// When its like was sent before.
        var likeBefore: MonotonicTime?
    }

    /// The UTC day that is counted, in days since 1970.
    package let day: Int64
    private let limits: TradingLimits
    private var all = SendTally()
    private var strategies: [StrategyName: SendTally] = [:]
    private var intents = RecentIntents()
    private var last: Sent?

    package init(day: Int64, limits: TradingLimits) {
        self.day = day
        self.limits = limits
    }

    /// Counts an order, once its intent is durable. Orders come in the order in which they were begun.
    /// - Parameters:
    ///   - time: On this process's monotonic clock, also where a process before this one has sent it.
    ///   - isOfToday: Whether it counts towards the day.
    package mutating func count(_ decision: Decision, at time: MonotonicTime, isOfToday: Bool = true) {
        var sent = Sent(
            decision: decision,
            notional: OrderNotional(of: decision.order, referencePrices: limits.referencePrices), at: time,
            isOfToday: isOfToday)
        all.count(sent)
        strategies[decision.strategy, default: SendTally()].count(sent)
        if let window = limits.duplicateWindow(of: decision.strategy) {
            sent.likeBefore = intents.note(decision, at: time, for: window)
        }
        last = sent
    }

    /// The last order has not left: it counts no more.
    package mutating func giveBackLast() {
        guard let sent = last else { return }
        last = nil
        all.giveBack(sent)
        strategies[sent.decision.strategy]?.giveBack(sent)
        intents.forget(sent.decision, at: sent.at, likeBefore: sent.likeBefore)
    }

    /// Makes room where all the room there is for remembering orders is taken.
    package mutating func forgetOld(at now: MonotonicTime) { intents.makeRoom(at: now) }

    /// What was sent by one strategy, or by all.
    package func tally(of strategy: StrategyName?) -> SendTally {
        guard let strategy else { return all }
        return strategies[strategy] ?? SendTally()
    }

    /// When an order of the same symbol, side and amount was last sent, by this strategy or by any.
    package func lastLike(_ decision: Decision, by strategy: StrategyName?) -> MonotonicTime? {
        intents.lastLike(decision, by: strategy)
    }

    /// Whether more orders would have to be remembered than are.
    package var remembersNoMore: Bool { intents.isFull }
}

/// The orders of one strategy, or of all.
package struct SendTally: Sendable {
    package private(set) var ordersOfDay = 0
    /// Nil where it has more digits than are computed with.
    package private(set) var notionalOfDay: ExactDecimal? = .zero
    /// When the orders of the last minute were sent, oldest first; before `firstOfMinute` they are older.
    private var times: [MonotonicTime] = []
    private var firstOfMinute = 0

    private static let minute = Microseconds.seconds(60)

    /// How many were sent in the 60 seconds before now.
    package func ordersOfMinute(at now: MonotonicTime) -> Int {
        var (low, high) = (firstOfMinute, times.count)
        while low < high {
            let middle = (low + high) / 2
            if now - times[middle] >= SendTally.minute { low = middle + 1 } else { high = middle }
        }
        return times.count - low
    }

    fileprivate mutating func count(_ sent: SendCounters.Sent) {
        times.append(sent.at)
        while sent.at - times[firstOfMinute] >= SendTally.minute { firstOfMinute += 1 }
        if firstOfMinute > 1024, firstOfMinute > times.count / 2 {
            times.removeFirst(firstOfMinute)
            firstOfMinute = 0
        }
        guard sent.isOfToday else { return }
        ordersOfDay += 1
        switch sent.notional {
        case .dollars(let dollars): notionalOfDay = notionalOfDay?.adding(dollars)
        case .beyondCounting: notionalOfDay = nil
        case .unpriced: break
        }
    }

    fileprivate mutating func giveBack(_ sent: SendCounters.Sent) {
        if times.last == sent.at, firstOfMinute < times.count { times.removeLast() }
        guard sent.isOfToday else { return }
        ordersOfDay -= 1
        // What was beyond counting stays so: nobody knows any more what it was without this one.
        if case .dollars(let dollars) = sent.notional, let before = notionalOfDay { notionalOfDay = before - dollars }
    }
}
