import AlpacaAPI
import OrderResolution
import TradeJournal
import TradingCore

/// How a decision gets from the queue to the broker, once, and what its attempt comes to.
extension Worker {
    // MARK: Choosing

    /// Whether the queue may hold something to send, or, once a heartbeat, something to refuse.
    func mayFindWorkInQueue(isHeartbeatDue: Bool, at now: ClockReading) -> Bool {
        guard !queue.front.isEmpty, !isDraining else { return false }
        return isHeartbeatDue || maySend(at: now)
    }

    /// Whether the next attempt may begin: the one before has ended, and, if it was lost, has been asked for.
    private func maySend(at now: ClockReading) -> Bool {
        attempt == nil && resolver.lookUpFirst == nil && pacing.allowance(at: now.monotonic) > 0
    }

    /// Goes through the waiting decisions in order: refuses what is not to be sent any more, and stores the intent to
    /// send the first that is to be.
    /// - Parameter everything: Whether to look for decisions to refuse even behind those that must wait.
    func workThroughQueue(
        in transaction: borrowing JournalTransaction, _ record: TurnRecord, everything: Bool, at now: ClockReading
    ) throws(JournalFault) {
        guard !isDraining else { return }
        let attemptIsOver = attempt == nil || record.endedAttempt != nil
        let wasLost = resolver.lookUpFirst != nil || record.endedAttempt?.execution.certainty == .unknown
        let maySend = attemptIsOver && !wasLost && pacing.allowance(at: now.monotonic) > 0
        guard maySend || everything else { return }

        // Those that this very turn accepted follow, unless there are others between them and the front.
        let acceptedCount = queue.isWhole ? record.accepted.count : 0
        // Whether one that is to be sent is looked up first, so that those behind it must not overtake it.
        var isBlocked = false
        for index in 0..<queue.front.count + acceptedCount {
            let isInFront = index < queue.front.count
            let decision = isInFront ? queue.front[index] : record.accepted[index - queue.front.count]
            // Only after a restoration: another worker may have it by now, so nothing is sent, nor told.
            if partitions?.moves[decision.decision.strategy]?.step.isClosed ?? false { continue }
            // What a look-up in this very turn has found at the broker waits no longer.
            if record.leftQueue.contains(decision.row) { continue }
            let halt = record.halt(covering: decision.decision.strategy, halt(covering:))
            if let refusal = refusal(of: decision, halt, at: now) {
                try refuse(decision, refusal, in: transaction, record, at: now)
            } else if maySend, record.intent == nil, !isBlocked, !mustWait(decision, halt) {
                if resolver.priorSends.ruleOut(decision) {
                    isBlocked = try sendOrRefuse(decision, in: transaction, record, at: now)
                } else {
                    record.toLookUp.append((decision, refusal: nil))
                    isBlocked = true
                }
            }
            if !everything, record.intent != nil || isBlocked { return }
        }
        record.foundNothingToSend = maySend && record.intent == nil
    }

    /// Stores the intent to send a decision whose turn it is, or refuses it where it is against a limit.
    /// - Returns: Whether it must wait for the broker's word, and all others with it.
    private func sendOrRefuse(
        _ waiting: WaitingDecision, in transaction: borrowing JournalTransaction, _ record: TurnRecord,
        at now: ClockReading
    ) throws(JournalFault) -> Bool {
        switch try judge(waiting, in: transaction, record, at: now) {
        case .send:
            record.intent = try begin(waiting, in: transaction, at: now)
            record.leftQueue.insert(waiting.row)
        case .refuse(let refusal, let message):
            try refuse(waiting, refusal, message: message, in: transaction, record, at: now)
        case .wait: return true
        }
        return false
    }

    /// Refuses a waiting decision. One that another worker may have sent is looked up before that is told; that it is to
    /// be refused is stored at once, so that neither a restart nor a calendar that is set back makes it fresh again.
    private func refuse(
        _ waiting: WaitingDecision, _ refusal: SendRefusal, message: String? = nil,
        in transaction: borrowing JournalTransaction, _ record: TurnRecord, at now: ClockReading
    ) throws(JournalFault) {
        guard resolver.priorSends.ruleOut(waiting) else {
            guard resolver.priorSends.refusal(of: waiting) == nil else { return }
            try transaction.note(refusal, of: waiting.row, at: now.moment)
            record.toLookUp.append((waiting, refusal))
            return
        }
        let outcome = Outcome(
            DecisionSummary(waiting.decision), refusedFor: refusal, message: message, at: now.moment)
        record.outcomes.append(
            try transaction.append(outcome, of: waiting.row, partition: settings.partition))
        record.leftQueue.insert(waiting.row)
        record.refusedWaiting = true
    }

    /// Why a waiting decision is not to be sent any more, if so. First match wins.
    private func refusal(of waiting: WaitingDecision, _ halt: Halt?, at now: ClockReading) -> SendRefusal? {
        if let decidedBefore = waiting.refusal ?? resolver.priorSends.refusal(of: waiting) { return decidedBefore }
        if waiting.deadline.hasPassed(at: now) { return .expired }
        if let halt, !halt.hold { return .halted }
        return nil
    }

    /// Whether a decision's strategy is held back while others go on.
    private func mustWait(_ waiting: WaitingDecision, _ halt: Halt?) -> Bool {
        if halt != nil { return true }
        switch settings.onUnknown {
        case .continue: return false
        case .holdStrategy: return resolver.orders.hasUnknown(waiting.decision.strategy)
        }
    }

    /// Stores the intent: from here on the decision counts as possibly sent.
    private func begin(
        _ waiting: WaitingDecision, in transaction: borrowing JournalTransaction, at now: ClockReading
    ) throws(JournalFault) -> TurnRecord.Intent {
        let execution = Execution(
            id: executionIDs.next(at: now.moment), clientOrderID: waiting.decision.clientOrderID,
            submittedAt: now.moment)
        let body = OrderRequest.body(for: waiting.decision)
        let request = Payload(.request, method: "POST", endpoint: OrderRequest.path, body: body)
        let row = try transaction.begin(execution, of: waiting.row, request: request)
        return TurnRecord.Intent(
            open: OpenExecution(
                decisionRow: waiting.row, row: row, decision: waiting.decision, execution: execution),
            body: body, waiting: waiting)
    }

    // MARK: The attempt

    /// The one attempt. Its intent is durable; where storing it has taken long, deadline and halts are looked at once
    /// more.
    func send(_ intent: TurnRecord.Intent?, chosenAt then: ClockReading) throws(WorkerFault) {
        guard let intent else { return }
        let now = clock.read()
        let tookLong = now.monotonic - then.monotonic > .milliseconds(20)
        if intent.waiting.deadline.hasPassed(at: now) {
            attemptResult = .notSent(reason: SendRefusal.expired.rawValue)
        } else if tookLong, halt(covering: intent.open.decision.strategy) != nil {
            attemptResult = .notSent(reason: SendRefusal.halted.rawValue)
        } else {
            pacing.begin(at: now.monotonic)
            do throws(EdgeFault) {
                try placement.post(path: OrderRequest.path, body: intent.body)
                probe.pass(.requestSent)
                logSent(intent.open)
            } catch {
                throw .edge(error)
            }
        }
    }

    /// Takes the broker's answer, or what came in its place. It is kept until it is stored.
    func takeAttemptResult(at now: ClockReading) {
        guard attemptResult == nil, let result = placement.takeResult() else { return }
        guard let attempt else { preconditionFailure("an answer belongs to an attempt") }
        attemptResult = result
        countBrokerError(result, of: attempt)
        pacing.note(result, at: now)
        connectionUsed(at: now)
        probe.pass(.answerReceived)
    }

    /// Stores what the attempt came to.
    func endAttempt(
        _ result: HTTPExchangeResult, in transaction: borrowing JournalTransaction, _ record: TurnRecord,
        at now: ClockReading
    ) throws(JournalFault) {
        guard var open = attempt else { preconditionFailure("an answer belongs to an attempt") }
        let meaning = AttemptResult(result, clientOrderID: open.execution.clientOrderID)
        var response: PayloadRow?
        if let payload = Payload(answerToPost: result) {
            response = try transaction.keep(payload, of: open.decisionRow, at: now.moment)
        }
        open.execution.end(
            meaning, httpStatusCode: result.statusCode, terms: open.decision.order, at: now.moment)
        if open.execution.certainty == .unknown { open.lostAt = now }
        if case .taken(let order) = meaning {
            try transaction.keep(order, of: open.decisionRow, isPlaced: true, at: now.moment)
        }
        record.outcomes.append(
            try transaction.keep(open, response: response, partition: settings.partition, at: now.moment))
        limits?.note(open, at: now)
        record.endedAttempt = open
    }
}

extension RequestPacing {
    /// Obeys what an answer says about the allowance.
    mutating func note(_ result: HTTPExchangeResult, at now: ClockReading) {
        guard case .answered(let answer) = result else { return }
        note(
            remaining: answer.headers.rateLimitRemaining, resetSeconds: answer.headers.rateLimitReset,
            wasRefused: answer.statusCode == 429, at: now)
    }
}

extension HTTPExchangeResult {
    /// The status code of the answer, or of the part of one that came.
    var statusCode: Int? {
        switch self {
        case .answered(let answer): answer.statusCode
        case .notSent: nil
        case .lost(_, let partial): partial?.statusCode
        }
    }
}

extension Payload {
    /// The response to a POST: the broker's, as much as came of it; or the original design's pseudo-response for a
    /// request that never got out; or none.
    init?(answerToPost result: HTTPExchangeResult) {
        switch result {
        case .answered(let answer), .lost(_, let answer?):
            self.init(
                .response, method: "POST", endpoint: OrderRequest.path, statusCode: answer.statusCode,
                body: answer.body, headers: answer.headers)
        case .notSent(let reason):
            self.init(pseudoResponse: reason, method: "POST", endpoint: OrderRequest.path)
        case .lost(_, nil): return nil
        }
    }
}
