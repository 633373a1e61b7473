package import TradingCore

/// What the worker reads back: its queue, what is open, and outcomes for those who missed them.
extension TradeJournal {
    /// The decisions that wait, in order of acceptance, from after `row` on.
    /// - Parameter lastFromBefore: The last one that was accepted before this process; nil where there was none.
    package func waitingDecisions(
        after row: DecisionRow?, limit: Int, lastFromBefore: DecisionRow?
    ) throws(JournalFault) -> [WaitingDecision] {
        let select = statements.waitingDecisions
        try select.bind(row?.id ?? 0)
        try select.bind(limit)
        var waiting: [WaitingDecision] = []
        try select.rows { (row) throws(JournalFault) in
            let monotonic = MonotonicTime(microseconds: try row.requiredInteger(5))
            let decisionRow = DecisionRow(try row.requiredInteger(0))
            waiting.append(
                WaitingDecision(
                    row: decisionRow, decision: try decision(row.bytes(1)),
                    receivedAt: try time(row.requiredText(2)),
                    deadline: Deadline(
                        moment: try time(row.requiredText(3)), monotonic: monotonic,
                        bootID: try row.requiredText(4)),
                    mayHaveBeenSent: lastFromBefore.map { decisionRow <= $0 } ?? false,
                    refusal: row.text(6).flatMap(SendRefusal.init)))
        }
        return waiting
    }

    /// The last decision that was ever accepted; nil in a new database.
    package func lastDecision() throws(JournalFault) -> DecisionRow? {
        try statements.lastDecision.first { (row) throws(JournalFault) in row.integer(0).map(DecisionRow.init) }
            ?? nil
    }

    package func countWaiting() throws(JournalFault) -> Int {
        let count = try statements.countWaiting.first { (row) throws(JournalFault) in try row.requiredInteger(0) }
        return Int(count ?? 0)
    }

    /// Every decision whose attempt has begun, and whose order has not ended or has exits that live on, in order of
    /// acceptance; and any that contradicts itself, being said to wait although its attempt has begun, or to be over
    /// although it has not ended.
    package func openExecutions() throws(JournalFault) -> [OpenExecution] {
        var open: [OpenExecution] = []
        try statements.openExecutions.rows { (row) throws(JournalFault) in open.append(try openExecution(row)) }
        let closed = Set(try strategyMoves().filter(\.step.isClosed).map(\.strategy))
        return closed.isEmpty ? open : open.filter { !closed.contains($0.decision.strategy) }
    }

    private func openExecution(_ row: PreparedStatement) throws(JournalFault) -> OpenExecution {
        let decision = try decision(row.bytes(1))
        guard row.integer(2) != nil else {
            throw JournalFault.contradiction(decision.clientOrderID, "decision executing, no execution")
        }
        guard let status = ExecutionStatus(rawValue: try row.requiredText(4)),
            let certainty = Certainty(rawValue: try row.requiredText(5)),
            let decisionStatus = DecisionStatus(rawValue: try row.requiredText(6)),
            let filledBefore = ExactDecimal(try row.requiredText(20))
        else { throw JournalFault.unreadable("execution \(row.integer(2) ?? 0) holds unknown words") }
        let execution = Execution(
            id: try row.requiredText(3), clientOrderID: decision.clientOrderID, status: status, certainty: certainty,
            decisionStatus: decisionStatus, reason: row.text(7), alpacaOrderID: row.text(8),
            followedOrderID: row.text(9), orderStatus: row.text(10).map(OrderStatus.init),
            httpStatusCode: row.integer(11).map(Int.init), errorMessage: row.text(12), errorDetails: row.text(13),
            resolution: row.text(23).flatMap(Resolution.init), brokerKnowsID: try row.requiredInteger(27) != 0,
            filledQuantity: row.text(14).flatMap(ExactDecimal.init),
            filledAveragePrice: row.text(15).flatMap(ExactDecimal.init),
            commission: row.text(16).flatMap(ExactDecimal.init), submittedAt: try time(row.requiredText(17)),
            filledAt: row.text(18).flatMap(Timestamp.init), rejectedAt: row.text(19).flatMap(Timestamp.init),
            filledBeforeReplacement: filledBefore, hasLivingLegs: try row.requiredInteger(28) != 0,
            orderUpdatedAt: row.text(21).flatMap(Timestamp.init))
        return OpenExecution(
            decisionRow: DecisionRow(try row.requiredInteger(0)), row: ExecutionRow(try row.requiredInteger(2)),
            decision: decision, execution: execution, lookUps: Int(try row.requiredInteger(22)),
            lostAt: try lostAt(row))
    }

    private func lostAt(_ row: PreparedStatement) throws(JournalFault) -> ClockReading? {
        guard let moment = row.text(24) else { return nil }
        return ClockReading(
            moment: try time(moment), monotonic: MonotonicTime(microseconds: try row.requiredInteger(26)),
            bootID: try row.requiredText(25))
    }

    /// The newest entry of each scope in the record of halts.
    package func lastHaltEvents() throws(JournalFault) -> [HaltEvent] {
        var events: [HaltEvent] = []
        try statements.lastHaltEvents.rows { (row) throws(JournalFault) in
            guard let action = HaltEvent.Action(rawValue: try row.requiredText(1)),
                let scope = Halt.scope(fileName: try row.requiredText(2))
            else { throw JournalFault.unreadable("a halt event holds unknown words") }
            events.append(
                HaltEvent(
                    action, scope, hold: try row.requiredInteger(3) != 0, reason: row.text(4), by: row.text(5),
                    at: try time(row.requiredText(0))))
        }
        return events
    }

    /// Up to where the history of halts is on record.
    package func haltHistoryEnd() throws(JournalFault) -> Int64 {
        try statements.haltHistoryEnd.first { (row) throws(JournalFault) in try row.requiredInteger(0) } ?? 0
    }

    /// The partition map that came into force last; nil where there never was one.
    package func lastPartitionMap() throws(JournalFault) -> PartitionMap? {
        let map = try statements.lastPartitionMap.first { (row) throws(JournalFault) in row.bytes(0) }
        guard let map else { return nil }
        do throws(PartitionMapFile.Problem) {
            return try PartitionMapFile.read(map)
        } catch {
            throw JournalFault.unreadable("a partition map cannot be read: \(error)")
        }
    }

    /// The settings that are on record as in force, by name.
    package func settingsInForce() throws(JournalFault) -> [String: [UInt8]] {
        var settings: [String: [UInt8]] = [:]
        try statements.settingsInForce.rows { (row) throws(JournalFault) in
            settings[try row.requiredText(0)] = row.bytes(1)
        }
        return settings
    }

    /// The last step of every strategy that ever moved.
    package func strategyMoves() throws(JournalFault) -> [StrategyMove] {
        var moves: [StrategyMove] = []
        try statements.lastMoves.rows { (row) throws(JournalFault) in
            guard let strategy = StrategyName(try row.requiredText(0)),
                let step = StrategyMove.Step(rawValue: try row.requiredText(2)),
                let partition = PartitionName(try row.requiredText(3))
            else { throw JournalFault.unreadable("the move of a strategy holds unknown words") }
            moves.append(StrategyMove(strategy, id: try row.requiredText(1), step: step, partition: partition))
        }
        return moves
    }

    /// Whether any step of a move was taken here.
    package func knowsMove(_ id: String) throws(JournalFault) -> Bool {
        try statements.move.bind(id)
        return try statements.move.first { (_) throws(JournalFault) in true } ?? false
    }

    /// Whether another worker knew more of a strategy before this move of it began.
    package func cameFromGone(_ strategy: StrategyName, move id: String) throws(JournalFault) -> Bool {
        try statements.cameFromGone.bind(strategy.text)
        try statements.cameFromGone.bind(id)
        return try statements.cameFromGone.first { (_) throws(JournalFault) in true } ?? false
    }

    /// Whether this is a restored database that no worker has stored a partition map in since.
    package func lastMapIsOfCopy() throws(JournalFault) -> Bool {
        try statements.lastMapIsOfCopy.first { (_) throws(JournalFault) in true } ?? false
    }

    /// Every strategy that has an outcome, or a decision that waits or is open.
    package func strategies() throws(JournalFault) -> Set<StrategyName> {
        var names = Set(counters.strategies.keys)
        try statements.unfinishedStrategies.rows { (row) throws(JournalFault) in
            guard let name = StrategyName(try row.requiredText(0)) else {
                throw JournalFault.unreadable("a strategy has no name")
            }
            names.insert(name)
        }
        return names
    }

    /// Whether any decision of a strategy waits.
    package func hasWaiting(_ strategy: StrategyName) throws(JournalFault) -> Bool {
        try statements.waitingOfStrategy.bind(strategy.text)
        return try statements.waitingOfStrategy.first { (_) throws(JournalFault) in true } ?? false
    }

    /// A page of outcomes, and whether there are more after it.
    package func outcomes(_ request: ReplayRequest) throws(JournalFault) -> (bodies: [[UInt8]], more: Bool) {
        let select: PreparedStatement
        if let strategy = request.strategy {
            select = statements.outcomesOfStrategyAfter
            try select.bind(strategy.text)
        } else {
            select = statements.outcomesAfter
        }
        try select.bind(request.after)
        try select.bind(request.limit + 1)
        var bodies: [[UInt8]] = []
        try select.rows { (row) throws(JournalFault) in bodies.append(row.bytes(0)) }
        let more = bodies.count > request.limit
        return (more ? bodies.dropLast() : bodies, more)
    }

    /// The last `seq`, and the last `strategy_seq` of every strategy that has an outcome.
    package var lastNumbers: (seq: Int64, strategies: [StrategyName: Int64]) {
        (counters.seq, counters.strategies)
    }

    func decision(_ message: [UInt8]) throws(JournalFault) -> Decision {
        guard case .success(.decision(let decision)) = RequestFrame.read(message) else {
            let text = String(decoding: message, as: UTF8.self)
            throw JournalFault.unreadable("a stored decision cannot be read: \(text)")
        }
        return decision
    }

    func time(_ text: String) throws(JournalFault) -> Timestamp {
        guard let time = Timestamp(text) else { throw JournalFault.unreadable("a time reads \(text)") }
        return time
    }
}
