package import TradeJournal
package import TradingCore

extension OrderResolver {
    /// What a start makes of the attempts that the process before it has left; see `RestartVerdict`.
    /// - Parameter strategy: Whose; nil for those of all.
    /// - Returns: The outcomes of those that have become unknown.
    /// - Throws: Also when a row contradicts itself: nothing is done before a person has looked.
    package mutating func takeUp(
        from journal: TradeJournal, partition: PartitionName, of strategy: StrategyName? = nil, at now: ClockReading
    ) throws(JournalFault) -> [StoredOutcome] {
        let left = try journal.openExecutions().filter { strategy == nil || $0.decision.strategy == strategy }
        guard !left.isEmpty else { return [] }
        var outcomes: [StoredOutcome] = []
        var takenUp: [OpenExecution] = []
        try journal.write { (transaction) throws(JournalFault) in
            for var open in left {
                if let outcome = try OrderResolver.takeUp(&open, in: transaction, partition: partition, at: now) {
                    outcomes.append(outcome)
                }
                takenUp.append(open)
            }
        }
        for open in takenUp { put(open, at: now.monotonic, afterRestart: true) }
        return outcomes
    }

    private static func takeUp(
        _ open: inout OpenExecution, in transaction: borrowing JournalTransaction, partition: PartitionName,
        at now: ClockReading
    ) throws(JournalFault) -> StoredOutcome? {
        switch RestartVerdict(open.storedState) {
        case .becomesUnknown:
            open.execution.findAfterRestart()
            open.lostAt = now
            return try transaction.keep(open, response: nil, partition: partition, at: now.moment)
        case .isLookedFor:
            // Nothing is known of another boot's clock, so the settle time begins anew.
            if open.lostAt?.bootID != now.bootID {
                open.lostAt = now
                try transaction.update(open, response: nil, at: now.moment)
            }
            return nil
        case .isFollowed: return nil
        case .isOver where open.execution.hasLivingLegs: return nil
        case .forgotten, .takesItsTurn, .isOver, .contradiction:
            throw JournalFault.contradiction(
                open.execution.clientOrderID,
                "decision \(open.execution.decisionStatus.rawValue), "
                    + "certainty \(open.execution.certainty.rawValue)")
        }
    }
}
