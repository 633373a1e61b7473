import AlpacaAPI
import StrictJSON
package import TradingCore

/// What can be written in one transaction. It exists only inside `TradeJournal.write`.
package struct JournalTransaction: ~Copyable {
    let statements: Statements
    let journal: TradeJournal

    /// Writes what changes nothing, to see whether anything can be written.
    package func tryOut() throws(JournalFault) {
        try statements.tryOut.run()
    }

    // MARK: Intake

    /// A decision with this name that was accepted before.
    package func decision(
        _ strategy: StrategyName, _ id: DecisionID
    ) throws(JournalFault) -> AcceptedBefore? {
        let find = statements.findDecision
        try find.bind(strategy.text)
        try find.bind(id.text)
        return try find.first { (row) throws(JournalFault) in
            AcceptedBefore(
                row: DecisionRow(try row.requiredInteger(0)), message: row.bytes(1), lastOutcomeSeq: row.integer(2),
                acknowledgedStream: row.text(3), acknowledgedSeq: row.integer(4))
        }
    }

    /// The last counter that a strategy used; 0 where it used none.
    package func lastSequence(of strategy: StrategyName) throws(JournalFault) -> Int64 {
        try statements.lastSequence.bind(strategy.text)
        return try statements.lastSequence.first { (row) throws(JournalFault) in row.integer(0) ?? 0 } ?? 0
    }

    /// Accepts a decision.
    /// - Returns: Its row; nil where one with this name was accepted before.
    package func accept(_ arrival: Arrival) throws(JournalFault) -> DecisionRow? {
        let insert = statements.insertDecision
        let decision = arrival.decision
        let order = decision.order
        try insert.bind(decision.id.text)
        try insert.bind(decision.strategy.text)
        try insert.bind(order.symbol?.text)
        try insert.bind(order.side?.rawValue)
        switch order.amount {
        case .quantity(let quantity):
            try insert.bind(quantity.value.text)
            try insert.bind(nil as String?)
        case .notional(let notional):
            try insert.bind(nil as String?)
            try insert.bind(notional.value.text)
        }
        try insert.bind(order.type.rawValue)
        try insert.bind(order.timeInForce.rawValue)
        try insert.bind(order.limitPrice?.value.text)
        try insert.bind(order.stopPrice?.value.text)
        try insert.bind(order.trailPrice?.value.text)
        try insert.bind(order.trailPercent?.value.text)
        try insert.bind(order.orderClass?.rawValue)
        try insert.bind(decision.rationale)
        try insert.bind(arrival.deadline.moment.text)
        try insert.bind(arrival.deadline.bootID)
        try insert.bind(arrival.deadline.monotonic.microseconds)
        try insert.bind(decision.sequence)
        try insert.bind(arrival.sender)
        try insert.bind(bytes: arrival.message)
        let received = arrival.receivedAt.text
        try insert.bind(received)
        try insert.bind(received)
        try insert.bind(received)
        try insert.run()
        return insert.hasChangedRows ? DecisionRow(insert.lastInsertedID) : nil
    }

    /// Keeps a message that is not taken.
    package func refuse(
        _ refusal: Refusal, body: [UInt8], sender: String?, at time: Timestamp
    ) throws(JournalFault) {
        let insert = statements.insertRefusal
        try insert.bind(time.text)
        try insert.bind(sender)
        try insert.bind(refusal.code.rawValue)
        try insert.bind(refusal.message)
        try insert.bind(bytes: Array(body.prefix(4096)))
        let delete = statements.deleteOldRefusals
        try delete.bind(try insertedID(insert) - RefusalKeeping.rowsMax)
        try delete.run()
    }

    /// Notes that a waiting decision is to be refused, which is told once it is known that it was not sent before.
    package func note(_ refusal: SendRefusal, of decision: DecisionRow, at time: Timestamp) throws(JournalFault) {
        try statements.noteRefusal.bind(refusal.rawValue)
        try statements.noteRefusal.bind(time.text)
        try statements.noteRefusal.bind(decision.id)
        try statements.noteRefusal.run()
    }

    // MARK: Execution

    /// The intent: the request and the execution, before the first byte leaves.
    /// - Parameter request: Marked as synthetic where it is the request that another worker must have sent.
    package func begin(
        _ execution: Execution, of decision: DecisionRow, request: Payload
    ) throws(JournalFault) -> ExecutionRow {
        let time = execution.submittedAt.text
        let payload = try keep(request, of: decision, at: execution.submittedAt)
        let insert = statements.insertExecution
        try insert.bind(decision.id)
        try insert.bind(execution.id)
        try insert.bind(execution.clientOrderID.text)
        try insert.bind(execution.status.rawValue)
        try insert.bind(execution.certainty.rawValue)
        try insert.bind(payload.id)
        try insert.bind(time)
        try insert.bind(time)
        try insert.bind(time)
        let row = ExecutionRow(try insertedID(insert))
        try statements.startDecision.bind(time)
        try statements.startDecision.bind(decision.id)
        try statements.startDecision.run()
        guard statements.startDecision.hasChangedRows else {
            throw JournalFault.contradiction(
                execution.clientOrderID, "an attempt begins, and the decision does not wait")
        }
        return row
    }

    /// Keeps one request or response, for ever.
    package func keep(
        _ payload: Payload, of decision: DecisionRow, at time: Timestamp
    ) throws(JournalFault) -> PayloadRow {
        let insert = statements.insertPayload
        try insert.bind(payload.kind.rawValue)
        try insert.bind(payload.method)
        try insert.bind(payload.endpoint)
        try insert.bind(payload.statusCode)
        try insert.bind(bytes: payload.body)
        try insert.bind(payload.headersText)
        try insert.bind(payload.isSynthetic ? 1 : 0)
        try insert.bind(decision.id)
        try insert.bind(time.text)
        return PayloadRow(try insertedID(insert))
    }

    /// Stores what is now known of an execution.
    /// - Parameter response: The answer to the POST, where this is it; the first one stays.
    package func update(_ open: OpenExecution, response: PayloadRow?, at time: Timestamp) throws(JournalFault) {
        let update = statements.updateExecution
        let execution = open.execution
        try update.bind(execution.status.rawValue)
        try update.bind(execution.certainty.rawValue)
        try update.bind(response?.id)
        try update.bind(execution.alpacaOrderID)
        try update.bind(execution.followedOrderID)
        try update.bind(execution.orderStatus?.text)
        try update.bind(execution.orderUpdatedAt?.text)
        try update.bind(execution.httpStatusCode)
        try update.bind(execution.errorMessage)
        try update.bind(execution.errorDetails)
        try update.bind(execution.resolution?.rawValue)
        try update.bind(execution.brokerKnowsID ? 1 : 0)
        try update.bind(execution.hasLivingLegs ? 1 : 0)
        try update.bind(open.lostAt?.moment.text)
        try update.bind(open.lostAt?.bootID)
        try update.bind(open.lostAt?.monotonic.microseconds)
        try update.bind(execution.filledQuantity?.text)
        try update.bind(execution.filledBeforeReplacement.text)
        try update.bind(execution.filledAveragePrice?.text)
        try update.bind(execution.commission?.text)
        try update.bind(open.lookUps)
        try update.bind(execution.filledAt?.text)
        try update.bind(execution.rejectedAt?.text)
        try update.bind(time.text)
        try update.bind(open.row.id)
        try update.run()
    }

    /// Stores an order of a decision as the broker shows it now, with its legs.
    /// - Parameter isPlaced: Whether it is the order in the answer to the POST, which the execution names.
    package func keep(
        _ order: BrokerOrder, of decision: DecisionRow, isPlaced: Bool = false, parent: String? = nil,
        at time: Timestamp
    ) throws(JournalFault) {
        let upsert = statements.upsertOrder
        try upsert.bind(decision.id)
        try upsert.bind(order.id)
        try upsert.bind(parent)
        try upsert.bind(order.replacedBy)
        try upsert.bind(order.clientOrderID)
        try upsert.bind(order.symbol)
        try upsert.bind(order.side)
        try upsert.bind(order.quantity?.text)
        try upsert.bind(order.notional?.text)
        try upsert.bind(order.status.text)
        try upsert.bind(order.filledQuantity?.text)
        try upsert.bind(order.filledAveragePrice?.text)
        try upsert.bind(isPlaced ? 1 : 0)
        try upsert.bind(time.text)
        try upsert.bind(time.text)
        try upsert.run()
        for leg in order.legs { try keep(leg, of: decision, parent: order.id, at: time) }
    }

    /// Whether any of these orders is not stored yet, or stored in another state. What has ended stays as it is.
    package func areNews(_ orders: [BrokerOrder]) throws(JournalFault) -> Bool {
        for order in orders {
            try statements.order.bind(order.id)
            let known = try statements.order.first { (row) throws(JournalFault) in
                (status: OrderStatus(try row.requiredText(0)), filled: row.text(1))
            }
            guard let known else { return true }
            if known.status.isEnd, known.status != .replaced { continue }
            if known.status != order.status || known.filled != order.filledQuantity?.text { return true }
        }
        return false
    }

    // MARK: Halts

    /// Keeps an entry of the record of halts, for ever.
    /// - Parameter historyEnd: Where its line in the history ends; nil where it has none.
    package func keep(_ event: HaltEvent, historyEnd: Int64?, at time: Timestamp) throws(JournalFault) {
        let insert = statements.insertHaltEvent
        try insert.bind(event.at.text)
        try insert.bind(event.action.rawValue)
        try insert.bind(Halt.fileName(event.scope))
        try insert.bind(event.hold ? 1 : 0)
        try insert.bind(event.reason)
        try insert.bind(event.by)
        try insert.bind(time.text)
        try insert.bind(historyEnd)
        try insert.run()
    }

    // MARK: Partitions

    /// Keeps the map that comes into force, for ever. Its epoch is higher than those before.
    package func keep(_ map: PartitionMap, at time: Timestamp) throws(JournalFault) {
        let insert = statements.insertPartitionMap
        try insert.bind(map.epoch)
        try insert.bind(map.json.text)
        try insert.bind(time.text)
        try insert.run()
    }

    /// Keeps what a setting is from now on, for ever; what was kept last is not kept again.
    /// - Parameters:
    ///   - setting: Its name, as in a configuration file.
    ///   - value: As text, or the bytes of the file that it names; nil where there is none.
    package func keep(setting: String, _ value: [UInt8]?, at time: Timestamp) throws(JournalFault) {
        let insert = statements.insertSetting
        try insert.bind(setting)
        if let value { try insert.bind(bytes: value) } else { try insert.bind(nil as String?) }
        try insert.bind(time.text)
        try insert.run()
    }

    /// Keeps a step of a strategy's move, for ever.
    package func keep(_ move: StrategyMove, at time: Timestamp) throws(JournalFault) {
        let insert = statements.insertMove
        try insert.bind(move.id)
        try insert.bind(move.strategy.text)
        try insert.bind(move.step.rawValue)
        try insert.bind(move.partition.text)
        try insert.bind(time.text)
        try insert.run()
    }

    // MARK: Outcomes

    /// Numbers an outcome, stores it, and with it where the decision stands.
    package func append(
        _ outcome: Outcome, of decision: DecisionRow, partition: PartitionName
    ) throws(JournalFault) -> StoredOutcome {
        let numbers = journal.counters.next(of: outcome.decision.strategy)
        let source = OutcomeSource(stream: journal.stream, partition: partition)
        let stored = StoredOutcome(
            seq: numbers.seq, topic: outcome.topic, body: outcome.body(numbers, from: source), outcome: outcome)
        let time = outcome.at.text
        let insert = statements.insertOutcome
        try insert.bind(numbers.seq)
        try insert.bind(numbers.strategySeq)
        try insert.bind(outcome.decision.strategy.text)
        try insert.bind(decision.id)
        try insert.bind(stored.topic)
        try insert.bind(bytes: stored.body)
        try insert.bind(time)
        try insert.run()

        if outcome.decisionStatus.isFinal {
            let end = statements.endDecision
            try end.bind(outcome.decisionStatus.rawValue)
            try end.bind(outcome.decisionStatus == .failed ? outcome.reason : nil)
            try end.bind(outcome.decisionStatus == .executed ? time : nil)
            try end.bind(outcome.decisionStatus == .failed ? time : nil)
            try end.bind(numbers.seq)
            try end.bind(time)
            try end.bind(decision.id)
            try end.run()
        } else {
            try statements.noteOutcome.bind(numbers.seq)
            try statements.noteOutcome.bind(time)
            try statements.noteOutcome.bind(decision.id)
            try statements.noteOutcome.run()
        }
        return stored
    }

    /// The body of a stored outcome.
    package func outcomeBody(seq: Int64) throws(JournalFault) -> [UInt8]? {
        try statements.outcome.bind(seq)
        return try statements.outcome.first { (row) throws(JournalFault) in row.bytes(0) }
    }

    /// Runs an insert, and says which row it made.
    private func insertedID(_ insert: PreparedStatement) throws(JournalFault) -> Int64 {
        try insert.run()
        return insert.lastInsertedID
    }
}
