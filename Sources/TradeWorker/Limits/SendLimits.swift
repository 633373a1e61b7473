package import OrderResolution
import TradeJournal
package import TradingCore

/// The limits in force, with what the worker knows to judge by them. There is none where no limits are set.
package final class SendLimits {
    let source: any WatchedText<TradingLimits>
    var broker: LimitQuestions
    /// Nil until they are made from the database, and when they must be made anew.
    private var counters: SendCounters?
    /// The last attempt that was counted.
    private var lastCounted: DecisionRow?
    private(set) var reductions = OwnReductions()
    /// Whether it is on record which limits are in force, as it is at a start.
    private var areKept = true

    /// - Parameter line: On which the broker is asked for positions and its clock.
    package init(_ source: any WatchedText<TradingLimits>, line: any OrderLookUps) {
        self.source = source
        broker = LimitQuestions(line)
    }

    // MARK: Judging

    /// What the limits say to a decision that would be sent now.
    func verdict(on waiting: WaitingDecision, at now: ClockReading) -> LimitVerdict {
        counters?.forgetOld(at: now.monotonic)
        guard let counters else { preconditionFailure("nothing is judged before it is known what was sent") }
        let decision = waiting.decision
        return LimitCheck(
            decision, limits: source.meaning, counters: counters,
            marketHours: broker.marketHours(for: waiting.row, at: now.monotonic),
            position: position(for: waiting, at: now.monotonic), at: now.monotonic
        ).verdict
    }

    private func position(for waiting: WaitingDecision, at now: MonotonicTime) -> BrokerWord<HeldPosition?> {
        guard let symbol = waiting.decision.order.symbol else { return .notAsked }
        let word = broker.position(for: waiting.row, symbol, at: now)
        guard case .said(let held?) = word else { return word }
        return .said(reductions.corrected(held, of: symbol, at: now))
    }

    // MARK: Counting

    /// Whether what was sent must be read from the database before anything is judged.
    func mustRecount(at now: ClockReading) -> Bool { counters?.day != now.moment.day }

    /// Other limits are in force, or what was stored last may not have been.
    func forgetCounters() {
        counters = nil
        areKept = false
    }

    /// Puts the limits on record that orders are held against from now on.
    func keep(in transaction: borrowing JournalTransaction, at now: ClockReading) throws(JournalFault) {
        guard !areKept else { return }
        try transaction.keep(setting: Setting.limits.rawValue, source.content, at: now.moment)
        areKept = true
    }

    /// Counts what was sent today, and within the windows that limits look back over. What the calendar of today says was
    /// sent later, since it was set back, counts too.
    func recount(_ journal: TradeJournal, at now: ClockReading) throws(JournalFault) {
        let today = now.moment.day
        let midnight = Timestamp(day: today)
        let window = source.meaning.longestWindow
        var recounted = SendCounters(day: today, limits: source.meaning)
        let since = min(midnight, Timestamp(nanoseconds: now.moment.nanoseconds - window.count * 1000))
        try journal.attempts(begunSince: since) { attempt in
            recounted.count(
                attempt.decision, at: now.monotonic(of: attempt.begunAt), isOfToday: attempt.begunAt >= midnight)
        }
        let lately = Timestamp(nanoseconds: now.moment.nanoseconds - 10 * 1_000_000_000)
        try journal.unsettledAttempts(toldSince: lately) { attempt in
            let endedAt = attempt.toldAt.map { now.monotonic(of: $0) }
            reductions.takeUp(attempt.decision, endedAt: endedAt, at: now.monotonic)
        }
        counters = recounted
        lastCounted = nil
    }

    /// An attempt has begun.
    func count(_ waiting: WaitingDecision, at now: ClockReading) {
        counters?.count(waiting.decision, at: now.monotonic)
        lastCounted = waiting.row
        var held: HeldPosition?
        if case .said(let said) = position(for: waiting, at: now.monotonic) { held = said }
        reductions.begin(waiting.decision, held: held, at: now.monotonic)
        broker.positionsChange(at: now.monotonic)
    }

    /// More is known of an attempt. Where it has certainly not left, it counts no more. Said again, it changes nothing.
    func note(_ open: OpenExecution, at now: ClockReading) {
        switch open.execution.certainty {
        case .sending, .unknown: return
        case .answered, .notSent: break
        }
        guard open.execution.decisionStatus == .failed else {
            return reductions.end(open.decision, at: now.monotonic)
        }
        reductions.remove(open.decision)
        guard lastCounted == open.decisionRow else { return }
        lastCounted = nil
        if open.execution.certainty == .notSent { counters?.giveBackLast() }
    }
}

extension ClockReading {
    /// A moment of the calendar on this process's monotonic clock; what is later than now is taken for now.
    fileprivate func monotonic(of earlier: Timestamp) -> MonotonicTime {
        let age = max(0, moment.nanoseconds - earlier.nanoseconds) / 1000
        return MonotonicTime(microseconds: monotonic.microseconds - age)
    }
}
