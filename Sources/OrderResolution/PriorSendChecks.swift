package import TradeJournal
package import TradingCore

/// The decisions that a worker with another copy of this database may have sent: each is looked up before it is sent or
/// refused.
///
/// A database that was lost and restored from a copy does not know what happened after the copy was made. What it sends
/// again, the broker mostly refuses by its id, but not where it refuses for another reason first or cannot be reached;
/// and what it refuses, only a look-up can tell. Each would be told as failed while its order lives.
package struct PriorSendChecks {
    private struct Check {
        let waiting: WaitingDecision
        /// Why it is to be refused; nil where it is to be sent, so that all others wait for it.
        var refusal: SendRefusal?
        var due: MonotonicTime
        var timesUnanswered: Int64 = 0
        var isCleared = false
    }

    private var checks: [DecisionRow: Check] = [:]

    var isEmpty: Bool { checks.isEmpty }

    /// How many decisions wait for their look-up.
    package var count: Int { checks.values.count { !$0.isCleared } }

    /// Whether a decision was surely not sent before.
    package func ruleOut(_ waiting: WaitingDecision) -> Bool {
        !waiting.mayHaveBeenSent || checks[waiting.row]?.isCleared ?? false
    }

    /// Why a decision that is being looked up is to be refused; nil where it is not.
    package func refusal(of waiting: WaitingDecision) -> SendRefusal? { checks[waiting.row]?.refusal }

    /// Has a decision looked up, unless it is being looked up already.
    /// - Parameter refusal: Why it is to be refused; nil where it is to be sent, so that all others wait for it.
    package mutating func begin(_ waiting: WaitingDecision, refusal: SendRefusal?, at now: MonotonicTime) {
        checks[waiting.row, default: Check(waiting: waiting, refusal: refusal, due: now)].refusal = refusal
    }

    /// The decision waits no longer.
    package mutating func forget(_ row: DecisionRow) {
        checks[row] = nil
    }

    func nextDue(onlyUrgent: Bool) -> MonotonicTime? {
        open(onlyUrgent: onlyUrgent).map(\.due).min()
    }

    /// The decision whose turn it is to be asked for.
    func next(at now: MonotonicTime, onlyUrgent: Bool) -> WaitingDecision? {
        open(onlyUrgent: onlyUrgent).filter { $0.due <= now }.min { $0.waiting.row < $1.waiting.row }?.waiting
    }

    private func open(onlyUrgent: Bool) -> some Sequence<Check> {
        checks.values.lazy.filter { !$0.isCleared && ($0.refusal == nil || !onlyUrgent) }
    }

    func waiting(_ row: DecisionRow) -> WaitingDecision? { checks[row]?.waiting }

    /// The broker has no order of it.
    mutating func clear(_ row: DecisionRow) {
        checks[row]?.isCleared = true
    }

    /// The broker did not say: it is asked again after 1, 2, 4 … up to 32 seconds.
    mutating func gotNoAnswer(_ row: DecisionRow, at now: MonotonicTime) {
        guard var check = checks[row] else { return }
        check.due = now + .seconds(1 << min(check.timesUnanswered, 5))
        check.timesUnanswered += 1
        checks[row] = check
    }
}
