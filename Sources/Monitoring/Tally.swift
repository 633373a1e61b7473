package import TradingCore

/// What has come of a strategy's decisions at a partition, since the monitor's store began.
package struct StrategyTally: Equatable, Sendable {
    /// Outcomes of any kind.
    package var outcomes: Int64 = 0
    /// Decisions by what was last heard of them.
    package var pending: Int64 = 0
    package var unknown: Int64 = 0
    package var success: Int64 = 0
    package var partial: Int64 = 0
    package var failed: Int64 = 0
    /// Of the failed, those that were never sent.
    package var refused: Int64 = 0
    package var lastStrategySeq: Int64 = 0
    package var lastAt: Timestamp?

    package init() {}

    /// Decisions that have ended.
    package var ended: Int64 { success + partial + failed }

    /// Counts an outcome.
    /// - Parameter previous: What was last heard of the same decision; nil for its first outcome.
    package mutating func count(_ outcome: SeenOutcome, after previous: DecisionState?) {
        outcomes += 1
        if let previous {
            self[previous.result] -= 1
            if previous.isRefusal { refused -= 1 }
        }
        self[outcome.result] += 1
        if outcome.isRefusal { refused += 1 }
        lastStrategySeq = max(lastStrategySeq, outcome.strategySeq)
        lastAt = max(lastAt ?? outcome.at, outcome.at)
    }

    package mutating func add(_ other: StrategyTally) {
        outcomes += other.outcomes
        for result in OutcomeResult.allCases { self[result] += other[result] }
        refused += other.refused
        lastAt = [lastAt, other.lastAt].compactMap(\.self).max()
    }

    package subscript(result: OutcomeResult) -> Int64 {
        get {
            switch result {
            case .pending: pending
            case .unknown: unknown
            case .success: success
            case .partial: partial
            case .failed: failed
            }
        }
        set {
            switch result {
            case .pending: pending = newValue
            case .unknown: unknown = newValue
            case .success: success = newValue
            case .partial: partial = newValue
            case .failed: failed = newValue
            }
        }
    }
}

/// What was last heard of a decision.
package struct DecisionState: Equatable, Sendable {
    package let result: OutcomeResult
    package let isFinal: Bool
    package let isRefusal: Bool

    package init(result: OutcomeResult, isFinal: Bool, isRefusal: Bool) {
        self.result = result
        self.isFinal = isFinal
        self.isRefusal = isRefusal
    }

    package init(_ outcome: SeenOutcome) {
        self.init(result: outcome.result, isFinal: outcome.isFinal, isRefusal: outcome.isRefusal)
    }
}

/// What happened within one stretch of time, by the outcomes' own times.
package struct PeriodTally: Equatable, Sendable {
    /// Decisions that ended in it.
    package var success: Int64 = 0
    package var partial: Int64 = 0
    package var failed: Int64 = 0
    /// Of the failed, those that were never sent.
    package var refused: Int64 = 0
    /// Attempts that became unknown in it.
    package var unknown: Int64 = 0
    /// From the attempt's begin to its first outcome, which is the broker's answer.
    package var answer = LatencyHistogram()
    /// From the attempt's begin to the decision's end.
    package var completion = LatencyHistogram()

    package init() {}

    package mutating func count(_ outcome: SeenOutcome, after previous: DecisionState?) {
        if previous == nil, let duration = outcome.sinceSubmission { answer.add(duration) }
        if outcome.result == .unknown, previous?.result != .unknown { unknown += 1 }
        guard outcome.isFinal, previous?.isFinal != true else { return }
        if let duration = outcome.sinceSubmission { completion.add(duration) }
        switch outcome.result {
        case .success: success += 1
        case .partial: partial += 1
        case .failed:
            failed += 1
            if outcome.isRefusal { refused += 1 }
        case .pending, .unknown: break
        }
    }

    package mutating func add(_ other: PeriodTally) {
        success += other.success
        partial += other.partial
        failed += other.failed
        refused += other.refused
        unknown += other.unknown
        answer.add(other.answer)
        completion.add(other.completion)
    }
}

/// A minute of the calendar, counted from 1970.
package struct Minute: Hashable, Comparable, Sendable {
    package let number: Int64

    package init(number: Int64) { self.number = number }

    package init(of time: Timestamp) { number = time.nanoseconds / 60_000_000_000 }

    package static func < (left: Minute, right: Minute) -> Bool { left.number < right.number }
}
