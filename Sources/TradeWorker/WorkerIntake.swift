import Logging
import OrderResolution
import StrictJSON
import TradeJournal
import TradingCore

/// A message and what it asks for.
struct Incoming<Envelope> {
    let message: IncomingMessage<Envelope>
    let request: Result<Request, RefusedFrame>
    /// Why it is refused, unless it is a decision that was accepted before: it holds the account's credentials. What was
    /// accepted before keys changed, or by a version that did not look, is answered as then.
    let refusedUnlessRepeated: RefusedFrame?

    init(_ message: IncomingMessage<Envelope>) {
        self.message = message
        if let excess = message.excess {
            request = message.rights.allow(.failure(RefusedFrame(excess)))
            refusedUnlessRepeated = nil
            return
        }
        let allowed = message.rights.allow(RequestFrame.read(message.body))
        guard let original = message.withCredentials else {
            request = allowed
            refusedUnlessRepeated = nil
            return
        }
        let refused = Incoming.holdingCredentials(allowed)
        let read = message.rights.allow(RequestFrame.read(original))
        if case .success(.decision) = read { request = read } else { request = .failure(refused) }
        refusedUnlessRepeated = refused
    }

    /// What is kept for ever, and told to whoever asks, must not hold what it takes to trade on the account.
    private static func holdingCredentials(_ request: Result<Request, RefusedFrame>) -> RefusedFrame {
        let words = "the message holds the account's key or secret, which is kept nowhere; send it without"
        let refusal = Refusal(.badField, field: "message", words)
        switch request {
        case .success(.decision(let decision)):
            return RefusedFrame(refusal, decisionID: decision.id.text, strategyName: decision.strategy.text)
        case .success(.replay), .success(.reconcile), .success(.status), .success(.ping):
            return RefusedFrame(refusal)
        // Whoever may not even ask is not told whether a guess was right.
        case .failure(let refused) where refused.refusal.code == .notAuthorised: return refused
        case .failure(let refused):
            return RefusedFrame(refusal, decisionID: refused.decisionID, strategyName: refused.strategyName)
        }
    }

    /// Whether it only asks, and nobody waits for the answer.
    var isInVain: Bool {
        switch request {
        case .success(.replay), .success(.status), .success(.ping): message.envelope == nil
        case .success(.decision), .success(.reconcile), .failure: false
        }
    }

    /// Whether its turn takes no more, since it may take long: a replay, and a message of too many frames, of which it is
    /// not known how many more.
    var isLastOfTurn: Bool {
        if case .success(.replay) = request { return !isInVain }
        return message.excess != nil
    }

    /// Whether it leaves a trace in the database: a decision does, and so does a refused message that is kept.
    func needsStoring(keepingRefused: Bool) -> Bool {
        switch request {
        case .success(.decision): true
        case .failure: keepingRefused
        case .success(.replay), .success(.reconcile), .success(.status), .success(.ping): false
        }
    }
}

/// How messages are taken and answered.
extension Worker {
    /// How many messages one turn takes, so that neither the broker's answers nor the first of many publishers wait long.
    static var messagesMax: Int { 64 }
    /// How many bytes of messages one turn takes, for the same reason; the one that goes beyond it is the last.
    static var messageBytesMax: Int { 256 << 10 }

    /// The messages of one turn, and whether there may be more.
    func receiveMessages() throws(WorkerFault) -> (messages: [Incoming<Intake.Envelope>], mayBeMore: Bool) {
        var messages: [Incoming<Intake.Envelope>] = []
        var bytes = 0
        do throws(EdgeFault) {
            while let message = try intake.receive() {
                let incoming = Incoming(message)
                messages.append(incoming)
                bytes += message.body.count
                if incoming.isLastOfTurn || messages.count >= Self.messagesMax || bytes >= Self.messageBytesMax {
                    return (messages, true)
                }
            }
        } catch {
            throw .edge(error)
        }
        return (messages, false)
    }

    func reply(
        to messages: [Incoming<Intake.Envelope>], _ replies: [[UInt8]?]
    ) throws(WorkerFault) {
        do throws(EdgeFault) {
            for (message, reply) in zip(messages, replies) {
                if let reply, let envelope = message.message.envelope {
                    try intake.reply(reply, to: envelope)
                    probe.pass(.acknowledged)
                }
            }
        } catch {
            throw .edge(error)
        }
    }

    // MARK: Decisions and refused messages

    /// Takes a decision, or refuses a message; other requests are answered after the commit.
    func take(
        _ incoming: Incoming<Intake.Envelope>, in transaction: borrowing JournalTransaction, _ record: TurnRecord,
        at now: ClockReading
    ) throws(JournalFault) {
        switch incoming.request {
        case .success(.decision(let decision)):
            var refused = incoming.refusedUnlessRepeated
            if refused == nil { refused = try refusal(of: decision, in: transaction, record) }
            if refused == nil, try accept(decision, incoming, in: transaction, record, at: now) { return }
            // What was accepted before is answered as then, whatever would be said of it now.
            if let before = try transaction.decision(decision.strategy, decision.id) {
                try answerAgain(decision, incoming, before, in: transaction, record, at: now)
            } else if let refused {
                try refuse(refused, incoming, in: transaction, record, at: now)
            } else {
                throw JournalFault.contradiction(decision.clientOrderID, "it is there and cannot be found")
            }
        case .failure(let refused): try refuse(refused, incoming, in: transaction, record, at: now)
        case .success(.replay), .success(.reconcile), .success(.status), .success(.ping): record.replies.append(nil)
        }
    }

    /// - Returns: False where a decision with this name was accepted before.
    private func accept(
        _ decision: Decision, _ incoming: Incoming<Intake.Envelope>, in transaction: borrowing JournalTransaction,
        _ record: TurnRecord, at now: ClockReading
    ) throws(JournalFault) -> Bool {
        let deadline = Deadline(of: decision.deadline, maxAge: settings.maxAge, acceptedAt: now)
        let accepted = try transaction.accept(
            Arrival(
                decision: decision, message: incoming.message.body, sender: incoming.message.sender,
                receivedAt: now.moment, deadline: deadline))
        guard let row = accepted else { return false }
        // What came and went after the copy was taken comes again as if it were new.
        record.accepted.append(
            WaitingDecision(
                row: row, decision: decision, receivedAt: now.moment, deadline: deadline,
                mayHaveBeenSent: journal.isRestored))
        record.replies.append(Acknowledgement.accepted(decision, row, stream: journal.stream))
        return true
    }

    /// The same decision came before: it is answered as then, and with its outcome if there is one.
    private func answerAgain(
        _ decision: Decision, _ incoming: Incoming<Intake.Envelope>, _ before: AcceptedBefore,
        in transaction: borrowing JournalTransaction, _ record: TurnRecord, at now: ClockReading
    ) throws(JournalFault) {
        let isSame: Bool
        if before.message == incoming.message.withCredentials ?? incoming.message.body {
            isSame = true
        } else if case .success(.decision(let first)) = RequestFrame.read(before.message) {
            isSame = first == decision
        } else {
            isSame = false
        }
        guard isSame else {
            let refusal = Refusal(
                .idConflict, field: "decision_id", "\(decision.clientOrderID) was accepted before with other content")
            return try refuse(
                RefusedFrame(refusal, decisionID: decision.id.text, strategyName: decision.strategy.text), incoming,
                in: transaction, record, at: now)
        }
        var outcome: [UInt8]?
        if let seq = before.lastOutcomeSeq { outcome = try transaction.outcomeBody(seq: seq) }
        let row = before.acknowledgedSeq.map(DecisionRow.init) ?? before.row
        let stream = before.acknowledgedStream ?? journal.stream
        record.replies.append(Acknowledgement.duplicate(decision, row, outcome: outcome, stream: stream))
    }

    private func refuse(
        _ refused: RefusedFrame, _ incoming: Incoming<Intake.Envelope>, in transaction: borrowing JournalTransaction,
        _ record: TurnRecord, at now: ClockReading
    ) throws(JournalFault) {
        if refusalKeeping.note(at: now.monotonic) {
            try transaction.refuse(
                refused.refusal, body: incoming.message.body, sender: incoming.message.sender, at: now.moment)
            record.keptRefusals.append(refused)
        }
        record.refusedCount += 1
        record.replies.append(Acknowledgement.refused(refused))
    }

    /// Why a new decision is not taken now.
    private func refusal(
        of decision: Decision, in transaction: borrowing JournalTransaction, _ record: TurnRecord
    ) throws(JournalFault) -> RefusedFrame? {
        try refusalNow(of: decision, in: transaction, record).map { refusal in
            RefusedFrame(refusal, decisionID: decision.id.text, strategyName: decision.strategy.text)
        }
    }

    private func refusalNow(
        of decision: Decision, in transaction: borrowing JournalTransaction, _ record: TurnRecord
    ) throws(JournalFault) -> Refusal? {
        if let refusal = partitions?.refusal(of: decision.strategy) { return refusal }
        if isDraining { return Refusal(.draining, "the worker is stopping; send the same again", retry: true) }
        if let halt = record.halt(covering: decision.strategy, halt(covering:)) {
            let reason = halt.reason.map { ": \($0)" } ?? ""
            return Refusal(.halted, "\(halt.scopeText) is halted\(reason)")
        }
        guard queue.count + record.accepted.count < settings.queueMax else {
            return Refusal(
                .queueFull, "\(settings.queueMax) decisions wait already; send the same again later", retry: true)
        }
        if let sequence = decision.sequence {
            let expected = try transaction.lastSequence(of: decision.strategy) + 1
            guard sequence == expected else {
                return Refusal(
                    .outOfOrder, field: "sequence", "sequence \(expected) comes next", expected: expected,
                    retry: sequence > expected)
            }
        }
        return nil
    }

    /// The answers when nothing can be stored. What needs no storing is answered as ever.
    func refusals(
        to messages: [Incoming<Intake.Envelope>], for fault: JournalFault
    ) throws(WorkerFault) -> [[UInt8]?] {
        var answers: [[UInt8]?] = []
        do throws(JournalFault) {
            for message in messages { answers.append(try refusal(to: message, for: fault)) }
        } catch {
            throw .journal(error)
        }
        return answers
    }

    private func refusal(
        to message: Incoming<Intake.Envelope>, for fault: JournalFault
    ) throws(JournalFault) -> [UInt8]? {
        guard !message.isInVain else { return nil }
        switch message.request {
        case .success(.decision(let decision)):
            let refusal = Refusal(.storageFailed, "the worker cannot write to its database: \(fault)", retry: true)
            // The names without credentials, where the message holds any.
            let names = message.refusedUnlessRepeated
            return Acknowledgement.refused(
                RefusedFrame(
                    refusal, decisionID: names == nil ? decision.id.text : names?.decisionID,
                    strategyName: names == nil ? decision.strategy.text : names?.strategyName))
        case .failure(let refused): return Acknowledgement.refused(refused)
        case .success(.status): return StateFrame.body(.status, state(haltsInForce().all, at: clock.read()))
        case .success(.ping): return pong()
        case .success(.reconcile(let id)): return reconcile(id, at: clock.read())
        case .success(.replay(let request)): return try replay(request)
        }
    }

    private static func unreadable(_ fault: JournalFault) -> [UInt8] {
        Acknowledgement.refused(
            RefusedFrame(Refusal(.storageFailed, "the worker cannot read its database: \(fault)", retry: true)))
    }

    // MARK: Requests that change nothing

    /// Answers what has no answer yet. Nothing here can undo what the turn has stored.
    func answerReadOnly(
        _ requests: [Incoming<Intake.Envelope>], _ record: TurnRecord, at now: ClockReading
    ) throws(JournalFault) {
        let stored = record.replies
        // The same for all who ask in this turn.
        var status: [UInt8]?
        record.replies = []
        for (index, incoming) in requests.enumerated() {
            guard !incoming.isInVain else {
                record.replies.append(nil)
                continue
            }
            switch incoming.request {
            case .success(.replay(let request)): record.replies.append(try replay(request))
            case .success(.status):
                let body = status ?? StateFrame.body(.status, state(haltsInForce().all, at: now))
                status = body
                record.replies.append(body)
            case .success(.reconcile(let id)): record.replies.append(reconcile(id, at: now))
            case .success(.ping): record.replies.append(pong())
            case .failure(let refused) where stored.isEmpty: leaveOut(refused, record, at: now)
            case .success(.decision), .failure: record.replies.append(stored[index])
            }
        }
    }

    /// Answers a refused message that is not kept.
    private func leaveOut(_ refused: RefusedFrame, _ record: TurnRecord, at now: ClockReading) {
        let isKept = refusalKeeping.note(at: now.monotonic)
        precondition(!isKept, "what is kept is refused within a transaction")
        record.refusedCount += 1
        record.replies.append(Acknowledgement.refused(refused))
    }

    /// Says, now and then, that refused messages are not kept.
    func reportRefusals(at now: ClockReading) {
        guard let count = refusalKeeping.takeReport(at: now.monotonic) else { return }
        log.warning(
            """
            \(count) refused messages were answered and not kept in refused_messages: more come than \
            \(RefusalKeeping.perMinute) a minute
            """)
    }

    private func pong() -> [UInt8] {
        var writer = JSONWriter(reserving: 128)
        writer.object { writer in
            writer.member("v", 1)
            writer.member("type", "pong")
            writer.member("stream", journal.stream)
            writer.member("partition", settings.partition.text)
        }
        return writer.bytes
    }

    /// Has unknown attempts looked up now, and tells which.
    private func reconcile(_ id: ClientOrderID?, at now: ClockReading) -> [UInt8] {
        resolver.hurry(id, at: now.monotonic)
        let unknown = resolver.orders.unknown.map(\.execution.clientOrderID).filter { id == nil || $0 == id }
        var writer = JSONWriter(reserving: 256)
        writer.object { writer in
            writer.member("v", 1)
            writer.member("type", "reconcile")
            writer.member("unknown", unknown.count)
            writer.key("client_order_ids")
            writer.array { writer in
                for id in unknown.prefix(Self.listedMax) { writer.string(id.text) }
            }
            writer.member("stream", journal.stream)
        }
        return writer.bytes
    }

    /// How many attempts an answer names.
    private static var listedMax: Int { 500 }

    /// - Throws: Where the database is damaged, which no later replay mends.
    private func replay(_ request: ReplayRequest) throws(JournalFault) -> [UInt8] {
        let bodies: [[UInt8]]
        let more: Bool
        do throws(JournalFault) {
            (bodies, more) = try journal.outcomes(request)
        } catch {
            guard error.mayPass else { throw error }
            log.error("a replay could not be read: \(error)")
            return Self.unreadable(error)
        }
        var writer = JSONWriter(reserving: 128 + bodies.reduce(0) { $0 + $1.count + 1 })
        writer.object { writer in
            writer.member("v", 1)
            writer.member("type", "replay")
            writer.member("strategy_name", request.strategy?.text)
            writer.member("after", request.after)
            writer.key("outcomes")
            writer.array { writer in
                for body in bodies { writer.raw(body) }
            }
            writer.member("more", more)
            writer.member("stream", journal.stream)
        }
        return writer.bytes
    }
}

/// The JSON of acknowledgements.
enum Acknowledgement {
    static func accepted(_ decision: Decision, _ row: DecisionRow, stream: String) -> [UInt8] {
        body(decision, row, isDuplicate: false, outcome: nil, stream: stream)
    }

    static func duplicate(_ decision: Decision, _ row: DecisionRow, outcome: [UInt8]?, stream: String) -> [UInt8] {
        body(decision, row, isDuplicate: true, outcome: outcome, stream: stream)
    }

    private static func body(
        _ decision: Decision, _ row: DecisionRow, isDuplicate: Bool, outcome: [UInt8]?, stream: String
    ) -> [UInt8] {
        var writer = JSONWriter(reserving: 256)
        writer.object { writer in
            writer.member("v", 1)
            writer.member("type", "ack")
            writer.member("decision_id", decision.id.text)
            writer.member("strategy_name", decision.strategy.text)
            writer.member("status", "accepted")
            writer.member("decision_seq", row.id)
            writer.member("duplicate", isDuplicate)
            writer.member("stream", stream)
            if let outcome {
                writer.key("outcome")
                writer.raw(outcome)
            }
        }
        return writer.bytes
    }

    static func refused(_ refused: RefusedFrame) -> [UInt8] {
        let refusal = refused.refusal
        var writer = JSONWriter(reserving: 256)
        writer.object { writer in
            writer.member("v", 1)
            writer.member("type", "ack")
            writer.member("decision_id", refused.decisionID)
            writer.member("strategy_name", refused.strategyName)
            writer.member("status", "refused")
            writer.member("code", refusal.code.rawValue)
            writer.member("field", refusal.field)
            writer.member("message", refusal.message)
            if let expected = refusal.expected { writer.member("expected", expected) }
            if let endpoint = refusal.endpoint { writer.member("endpoint", endpoint) }
            writer.member("retry", refusal.retry)
        }
        return writer.bytes
    }
}
