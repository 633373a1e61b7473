package import OrderResolution
import TradeJournal
import TradingCore

/// The limits in force, with what the worker knows to judge by them. There is none where no limits are set.
package final class SendLimits {
    let source: any LimitsSource
    var broker: LimitQuestions
    /// Nil until they are made from the database, and when they must be made anew.
    private var counters: SendCounters?
    /// The last attempt that was counted.
    private var lastCounted: DecisionRow?

    /// - Parameter line: On which the broker is asked for positions and its clock.
    package init(_ source: any LimitsSource, line: any OrderLookUps) {
        self.source = source
        broker = LimitQuestions(line)
    }

    // MARK: Judging

    /// What the limits say to a decision that would be sent now.
    func verdict(on waiting: WaitingDecision, at now: ClockReading) -> LimitVerdict {
        guard counters != nil else { preconditionFailure("nothing is judged before it is known what was sent") }
        counters?.forgetOld(at: now.monotonic)
        guard let counters else { preconditionFailure("it is known") }
        let decision = waiting.decision
        return LimitCheck(
            decision, limits: source.limits, counters: counters,
            marketHours: broker.marketHours(for: waiting.row, at: now.monotonic),
            position: broker.position(for: waiting.row, decision.order.symbol, at: now.monotonic), at: now.monotonic
        ).verdict
    }

    // MARK: Counting

    /// Whether what was sent must be read from the database before anything is judged.
    func mustRecount(at now: ClockReading) -> Bool { counters?.day != now.moment.day }

    /// Other limits are in force, or more was sent than was counted.
    func forgetCounters() { counters = nil }

    /// Counts what was sent today, and within the windows that limits look back over. What the calendar of today says was
    /// sent later, since it was set back, counts too.
    func recount(_ journal: TradeJournal, at now: ClockReading) throws(JournalFault) {
        let today = now.moment.day
        let midnight = Timestamp(day: today)
        let window = source.limits.longestWindow
        var recounted = SendCounters(day: today, limits: source.limits)
        let since = min(midnight, Timestamp(nanoseconds: now.moment.nanoseconds - window.count * 1000))
        try journal.attempts(begunSince: since) { attempt in
            let age = Microseconds(max(0, now.moment.nanoseconds - attempt.begunAt.nanoseconds) / 1000)
            recounted.count(
                attempt.decision, at: MonotonicTime(microseconds: now.monotonic.microseconds - age.count),
                isOfToday: attempt.begunAt >= midnight)
        }
        counters = recounted
        lastCounted = nil
    }

    /// An attempt has begun.
    func count(_ open: OpenExecution, at now: ClockReading) {
        counters?.count(open.decision, at: now.monotonic)
        lastCounted = open.decisionRow
        broker.forgetPosition()
    }

    /// An attempt has certainly not left. Said again, it changes nothing.
    func giveBack(_ open: OpenExecution) {
        guard lastCounted == open.decisionRow else { return }
        lastCounted = nil
        counters?.giveBackLast()
    }
}
