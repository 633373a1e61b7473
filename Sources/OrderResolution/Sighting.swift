import AlpacaAPI
import StrictJSON
package import TradeJournal
package import TradingCore

/// What a look-up showed, worked out but not stored yet.
package struct Sighting {
    /// One execution of which something new is known, with the evidence.
    struct Change {
        var open: OpenExecution
        /// The order as it was shown; nil where there is none of ours.
        var order: BrokerOrder?
        /// The bytes that prove it.
        var evidence: Payload
    }

    /// An order that has ended, shown with the legs that hang on it.
    struct Legs {
        var open: OpenExecution
        /// Nil where the broker has no such order any more.
        var order: BrokerOrder?
    }

    let request: LookUpRequest
    let askedAt: Timestamp
    let result: HTTPExchangeResult
    var changes: [Change] = []
    /// The decisions for which the look-up is kept although it changed nothing.
    var notes: [DecisionRow] = []
    /// The decision that was looked up because another worker may have sent it.
    var mayHaveBeenSent: WaitingDecision?

    var legs: Legs?

    /// Whether it was asked for an attempt that was unknown.
    var isOfUnknown = false
    /// Whether it tells what has become of one.
    package var settlesUnknown: Bool { isOfUnknown && changes.contains { $0.open.execution.certainty != .unknown } }

    package var needsStoring: Bool {
        !changes.isEmpty || !notes.isEmpty || mayHaveBeenSent != nil || legs != nil
    }

    init(request: LookUpRequest, askedAt: Timestamp, result: HTTPExchangeResult) {
        self.request = request
        self.askedAt = askedAt
        self.result = result
    }

    // MARK: What the answer says

    /// What an answer about one order says.
    enum Answer {
        case order(BrokerOrder)
        case noSuchOrder
        /// Nothing: no answer, an error, or what cannot be read.
        case unreadable
    }

    var answer: Answer {
        guard case .answered(let answer) = result else { return .unreadable }
        if answer.statusCode == 200, let order = OrderAnswer.order(answer.body) { return .order(order) }
        return answer.saysThatThereIsNoSuchOrder ? .noSuchOrder : .unreadable
    }

    /// The answer, where it is one with HTTP 200.
    var okAnswer: HTTPAnswer? {
        guard case .answered(let answer) = result, answer.statusCode == 200 else { return nil }
        return answer
    }

    // MARK: Evidence

    /// What the look-up came to, as a response to be kept: a pseudo-response marked as ours where no answer came.
    var evidence: Payload {
        switch result {
        case .answered(let answer), .lost(_, let answer?): return payload(of: answer)
        case .notSent(let reason), .lost(let reason, nil):
            return Payload(pseudoResponse: reason, method: "GET", endpoint: request.path)
        }
    }

    func payload(of answer: HTTPAnswer) -> Payload {
        Payload(
            .response, method: "GET", endpoint: request.path, statusCode: answer.statusCode, body: answer.body,
            headers: answer.headers)
    }

    // MARK: Storing

    /// What was stored, to be acted on.
    package struct Stored {
        package var outcomes: [StoredOutcome] = []
        /// Executions of which something new is known.
        package var changed: [OpenExecution] = []
        /// A waiting decision that waits no longer, since its order is there already.
        package var leftQueue: DecisionRow?
        /// A waiting decision of which the broker has no order.
        package var wasNotSent: DecisionRow?
    }

    /// Stores what the look-up changed, with the look-up itself as evidence.
    /// - Parameter executionID: Makes the id of an execution.
    package func keep(
        in transaction: borrowing JournalTransaction, partition: PartitionName, at time: Timestamp,
        executionID: () -> String
    ) throws(JournalFault) -> Stored {
        var stored = Stored()
        for decision in notes { try keep(evidence, of: decision, in: transaction, at: time) }
        for change in changes {
            try keep(change.evidence, of: change.open.decisionRow, in: transaction, at: time)
            try keep(change, in: transaction, &stored, partition, at: time)
        }
        if let waiting = mayHaveBeenSent {
            try keep(evidence, of: waiting.row, in: transaction, at: time)
            if let change = try adopt(waiting, in: transaction, at: time, executionID: executionID) {
                try keep(change, in: transaction, &stored, partition, at: time)
                stored.leftQueue = waiting.row
            } else {
                stored.wasNotSent = waiting.row
            }
        }
        if let legs, try areNews(legs, in: transaction) {
            let row = legs.open.decisionRow
            try keep(evidence, of: row, in: transaction, at: time)
            if let order = legs.order { try transaction.keep(order, of: row, at: time) }
            try transaction.update(legs.open, response: nil, at: time)
            stored.changed.append(legs.open)
        }
        return stored
    }

    private func areNews(_ legs: Legs, in transaction: borrowing JournalTransaction) throws(JournalFault) -> Bool {
        if !legs.open.execution.hasLivingLegs { return true }
        return try transaction.areNews(legs.order?.legs ?? [])
    }

    private func keep(
        _ evidence: Payload, of decision: DecisionRow, in transaction: borrowing JournalTransaction, at time: Timestamp
    ) throws(JournalFault) {
        _ = try transaction.keep(
            Payload(.request, method: "GET", endpoint: request.path, body: []), of: decision, at: askedAt)
        _ = try transaction.keep(evidence, of: decision, at: time)
    }

    private func keep(
        _ change: Change, in transaction: borrowing JournalTransaction, _ stored: inout Stored,
        _ partition: PartitionName, at time: Timestamp
    ) throws(JournalFault) {
        if let order = change.order { try transaction.keep(order, of: change.open.decisionRow, at: time) }
        stored.outcomes.append(
            try transaction.keep(change.open, response: nil, partition: partition, at: time))
        stored.changed.append(change.open)
    }

    /// Where the broker has an order of a waiting decision: gives the decision the execution that another worker must
    /// have had. Its request is the one that the decision makes; it is marked as synthetic, since this database did not
    /// see it sent.
    private func adopt(
        _ waiting: WaitingDecision, in transaction: borrowing JournalTransaction, at time: Timestamp,
        executionID: () -> String
    ) throws(JournalFault) -> Change? {
        guard case .order(let order) = answer else { return nil }
        let decision = waiting.decision
        var execution = Execution(
            id: executionID(), clientOrderID: decision.clientOrderID, submittedAt: order.submittedAt ?? time)
        guard execution.adopt(order, terms: decision.order, at: time) else { return nil }
        let request = Payload(
            .request, method: "POST", endpoint: OrderRequest.path, body: OrderRequest.body(for: decision),
            isSynthetic: true)
        let row = try transaction.begin(execution, of: waiting.row, request: request)
        let open = OpenExecution(
            decisionRow: waiting.row, row: row, decision: decision, execution: execution, lookUps: 1)
        return Change(open: open, order: order, evidence: evidence)
    }
}

extension JournalTransaction {
    /// Stores an execution's new state with the outcome that tells it.
    /// - Parameter response: The answer to the POST, where this is it.
    package borrowing func keep(
        _ open: OpenExecution, response: PayloadRow?, partition: PartitionName, at time: Timestamp
    ) throws(JournalFault) -> StoredOutcome {
        try update(open, response: response, at: time)
        return try append(
            Outcome(DecisionSummary(open.decision), of: open.execution, at: time), of: open.decisionRow,
            partition: partition)
    }
}

extension HTTPAnswer {
    /// Only the broker's own words for a missing order count: a 404 of something in between says nothing about it.
    fileprivate var saysThatThereIsNoSuchOrder: Bool {
        guard statusCode == 404 else { return false }
        let error = ErrorAnswer.read(body, httpStatusCode: statusCode)
        return error.code == 40_410_000 && error.message.hasPrefix("order not found")
    }
}
