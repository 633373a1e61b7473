package import TradeJournal
package import TradingCore

/// The decisions that a worker with another copy of this database may have sent: each is looked up before it is sent or
/// refused.
///
/// A database that was lost and restored from a copy does not know what happened after the copy was made. What it sends
/// again, the broker mostly refuses by its id, but not where it refuses for another reason first or cannot be reached;
/// and what it refuses, only a look-up can tell. Each would be told as failed while its order lives.
package struct SentBeforeChecks {
    private struct Check {
        let waiting: WaitingDecision
        var due: MonotonicTime
        var timesUnanswered: Int64 = 0
        var isCleared = false
    }

    private var checks: [DecisionRow: Check] = [:]

    /// How many decisions wait for their look-up.
    package var count: Int { checks.values.count { !$0.isCleared } }

    /// Whether a decision was surely not sent before.
    package func ruleOut(_ waiting: WaitingDecision) -> Bool {
        !waiting.mayHaveBeenSent || checks[waiting.row]?.isCleared ?? false
    }

    /// Has a decision looked up, unless it is being looked up already.
    package mutating func begin(_ waiting: WaitingDecision, at now: MonotonicTime) {
        guard checks[waiting.row] == nil else { return }
        checks[waiting.row] = Check(waiting: waiting, due: now)
    }

    /// The decision waits no longer.
    package mutating func forget(_ row: DecisionRow) {
        checks[row] = nil
    }

    var nextDue: MonotonicTime? { checks.values.lazy.filter { !$0.isCleared }.map(\.due).min() }

    /// The decision whose turn it is to be asked for.
    func next(at now: MonotonicTime) -> WaitingDecision? {
        guard !checks.isEmpty else { return nil }
        return checks.values.lazy.filter { !$0.isCleared && $0.due <= now }.min { $0.waiting.row < $1.waiting.row }?
            .waiting
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
