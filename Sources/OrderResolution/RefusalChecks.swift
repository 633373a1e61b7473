package import TradeJournal
package import TradingCore

/// The decisions that are to be refused, expired or halted, and that a worker with another copy of this database may
/// have sent: each is looked up before it is told as failed.
///
/// A database that was lost and restored from a copy does not know what happened after the copy was made. What it would
/// send again, the broker refuses by its id; what it would refuse, only a look-up can tell.
package struct RefusalChecks {
    private struct Check {
        let waiting: WaitingDecision
        var due: MonotonicTime
        var timesUnanswered: Int64 = 0
        var isCleared = false
    }

    private var checks: [DecisionRow: Check] = [:]

    /// How many decisions wait for their look-up.
    package var count: Int { checks.values.count { !$0.isCleared } }

    /// Whether a decision may be refused: the broker has no order of it. Where that is not known yet, it is asked for.
    package mutating func clears(_ waiting: WaitingDecision, at now: MonotonicTime) -> Bool {
        guard waiting.mayHaveBeenSent else { return true }
        if let check = checks[waiting.row] { return check.isCleared }
        checks[waiting.row] = Check(waiting: waiting, due: now)
        return false
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
