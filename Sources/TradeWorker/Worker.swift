import AlpacaAPI
package import Logging
package import TradeJournal
package import TradingCore

/// The worker: takes decisions in order, executes each once, and tells what came of it.
///
/// It never waits: `turn()` does what can be done now, and whoever drives it sleeps in between. All that it knows of the
/// world comes through the edges it is given.
package final class Worker<Intake: DecisionIntake> {
    let settings: WorkerSettings
    let journal: TradeJournal
    let intake: Intake
    let topic: any OutcomeTopic
    let placement: any OrderPlacement
    let lookUps: any OrderLookUps
    let halts: any HaltSwitch
    let clock: any WorkerClock
    let executionIDs: any ExecutionIDs
    let probe: any WorkerProbe
    let log: Logger

    /// The decisions that wait.
    var queue: WaitingQueue
    /// The one whose attempt is under way, or has ended without that being stored yet.
    var attempt: OpenExecution?
    /// What the attempt under way came to; kept until it is stored, however long the disk takes.
    var attemptResult: HTTPExchangeResult?
    /// The decisions whose order is followed or looked for.
    var openOrders: OpenOrders
    /// The question that the broker is answering.
    var lookUp: OpenOrders.LookUp?
    var lookUpAskedAt: Timestamp
    /// The attempt that has just been lost: it is asked for once before the next decision goes out.
    var lookUpFirst: DecisionRow?
    /// Whether all decisions at the front of the queue must wait, so that those behind them are looked at.
    var frontIsHeldBack = false
    var pacing: RequestPacing
    var storage: Storage = .working
    var isDraining = false
    var heartbeatDue: MonotonicTime
    var refusedCount = 0
    var lookUpCount = 0
    let startedAt: ClockReading

    /// Whether what is decided can be stored.
    enum Storage: Equatable {
        case working
        /// Nothing is taken and nothing is sent; the next write is tried at `retryAt`.
        case failing(JournalFault, retryAt: MonotonicTime)
    }

    package init(
        settings: WorkerSettings, journal: TradeJournal, intake: Intake, topic: any OutcomeTopic,
        placement: any OrderPlacement, lookUps: any OrderLookUps, halts: any HaltSwitch, clock: any WorkerClock,
        executionIDs: any ExecutionIDs, probe: any WorkerProbe = NoProbe(), log: Logger
    ) throws(WorkerFault) {
        self.settings = settings
        self.journal = journal
        self.intake = intake
        self.topic = topic
        self.placement = placement
        self.lookUps = lookUps
        self.halts = halts
        self.clock = clock
        self.executionIDs = executionIDs
        self.probe = probe
        self.log = log
        pacing = RequestPacing(perMinute: settings.requestsPerMinute)
        openOrders = OpenOrders(settleTime: settings.settleTime)
        startedAt = clock.read()
        heartbeatDue = startedAt.monotonic
        lookUpAskedAt = startedAt.moment
        do throws(JournalFault) {
            queue = try WaitingQueue(journal)
        } catch {
            throw .journal(error)
        }
        try takeUpOpenExecutions()
    }

    // MARK: The story of a decision

    /// One turn of the loop, which is the whole story of a decision in order:
    /// it comes in; it is stored, together with what the broker answered to the one before and with the intent to send
    /// the next; outcomes are published, the request goes out, and the publisher gets its acknowledgement.
    /// - Returns: Whether anything was done, so that another turn may find more to do.
    package func turn() throws(WorkerFault) -> Bool {
        let now = clock.read()
        let isHeartbeatDue = now.monotonic >= heartbeatDue
        let messages = try receiveMessages()
        takeAttemptResult(at: now)
        let seen = takeLookUpResult(at: now)
        probe.pass(.received)

        let record = try store(messages, seen, isHeartbeatDue: isHeartbeatDue, at: now)
        remember(record, at: now)

        try publish(record.outcomes)
        try send(record.intent, chosenAt: now)
        try reply(to: messages, record.replies)
        try askBroker(at: now)
        if isHeartbeatDue { try beatHeart(at: now) }
        return !messages.isEmpty || seen != nil || !record.isEmpty
    }

    /// No more decisions are taken, and none is sent; the attempt under way is finished. Publishers are told
    /// `draining`, so the intake stays open: closing it would cut them off without a word.
    package func drain() {
        isDraining = true
    }

    /// Whether nothing is left to finish, after `drain()`.
    package var isDrained: Bool { isDraining && attempt == nil }

    /// The moment at which there will be something to do even if nothing comes in.
    package var nextWakeUp: MonotonicTime {
        var next = heartbeatDue
        if case .failing(_, let retryAt) = storage { next = min(next, retryAt) }
        if lookUp == nil, let due = openOrders.nextDue { next = min(next, due) }
        if !queue.front.isEmpty, attempt == nil, let allowed = pacing.nextAllowance(after: clock.read().monotonic) {
            next = min(next, allowed)
        }
        return next
    }

    // MARK: Storing

    /// Everything of one turn that must be durable before it is acted on, in one transaction.
    private func store(
        _ messages: [IncomingMessage<Intake.Envelope>], _ seen: Sighting?, isHeartbeatDue: Bool, at now: ClockReading
    ) throws(WorkerFault) -> TurnRecord {
        if case .failing(let fault, let retryAt) = storage, now.monotonic < retryAt {
            return TurnRecord(replies: messages.map { refusal(to: $0, for: fault) })
        }
        do throws(JournalFault) {
            if !queue.isWhole, queue.front.isEmpty || frontIsHeldBack { try queue.readOn(journal) }
            let requests = messages.map { Incoming($0) }
            guard
                requests.contains(where: \.needsStoring) || attemptResult != nil || seen?.needsStoring ?? false
                    || mayFindWorkInQueue(isHeartbeatDue: isHeartbeatDue, at: now)
            else { return TurnRecord(replies: answerReadOnly(requests, at: now)) }

            var record = TurnRecord()
            try journal.write { (transaction) throws(JournalFault) in
                for request in requests { try take(request, in: transaction, &record, at: now) }
                if let result = attemptResult { try endAttempt(result, in: transaction, &record, at: now) }
                if let seen { try keep(seen, in: transaction, &record, at: now) }
                try workThroughQueue(in: transaction, &record, everything: isHeartbeatDue, at: now)
                probe.pass(.written)
            }
            probe.pass(.committed)
            if storage != .working { log.notice("the database can be written again") }
            storage = .working
            record.replies = answerReadOnly(requests, replies: record.replies, at: now)
            return record
        } catch {
            try storageFailed(error, at: now)
            return TurnRecord(replies: messages.map { refusal(to: $0, for: error) })
        }
    }

    /// A write failed, so nothing of it has happened: publishers are told to try again, nothing is sent, and the answer
    /// that the broker gave is kept in memory until it can be stored.
    private func storageFailed(_ fault: JournalFault, at now: ClockReading) throws(WorkerFault) {
        guard fault.mayPass else { throw .journal(fault) }
        if storage == .working { log.error("nothing is taken or sent until the database can be written: \(fault)") }
        storage = .failing(fault, retryAt: now.monotonic + .seconds(1))
    }

    /// The memory follows the database.
    private func remember(_ record: TurnRecord, at now: ClockReading) {
        queue.apply(accepted: record.accepted, ended: record.leftQueue)
        frontIsHeldBack = record.foundNothingToSend
        refusedCount += record.refusedCount
        for open in record.changed { openOrders.put(open, at: now.monotonic) }
        if let ended = record.endedAttempt {
            attempt = nil
            attemptResult = nil
            openOrders.put(ended, at: now.monotonic)
            if ended.execution.certainty == .unknown { lookUpFirst = ended.decisionRow }
        }
        if let intent = record.intent { attempt = intent.open }
    }

    private func publish(_ outcomes: [StoredOutcome]) throws(WorkerFault) {
        do throws(EdgeFault) {
            for outcome in outcomes {
                try topic.publish(topic: outcome.topic, body: outcome.body)
                probe.pass(.published)
            }
        } catch {
            throw .edge(error)
        }
    }

    // MARK: Restart

    /// What a restart finds: an attempt that was under way is unknown now and never sent again; all that is open is
    /// looked up.
    private func takeUpOpenExecutions() throws(WorkerFault) {
        var outcomes: [StoredOutcome] = []
        do throws(JournalFault) {
            var open = try journal.openExecutions()
            let underWay = open.indices.filter { open[$0].execution.certainty == .sending }
            if !underWay.isEmpty {
                try journal.write { (transaction) throws(JournalFault) in
                    for index in underWay {
                        open[index].execution.findAfterRestart()
                        outcomes.append(
                            try store(open[index], response: nil, in: transaction, at: startedAt.moment))
                    }
                }
            }
            for execution in open { openOrders.put(execution, at: startedAt.monotonic, afterRestart: true) }
            if !open.isEmpty || queue.count > 0 {
                log.notice(
                    """
                    taking up \(queue.count) waiting decisions and \(open.count) open orders, \
                    \(openOrders.unknownCount) of them unknown
                    """)
            }
        } catch {
            throw .journal(error)
        }
        try publish(outcomes)
    }

    /// Stores an execution's new state with the outcome that tells it.
    func store(
        _ open: OpenExecution, response: PayloadRow?, in transaction: borrowing JournalTransaction, at time: Timestamp
    ) throws(JournalFault) -> StoredOutcome {
        try transaction.update(open.execution, open.row, response: response, lookUps: open.lookUps, at: time)
        return try transaction.append(
            Outcome(DecisionSummary(open.decision), of: open.execution, at: time), of: open.decisionRow,
            partition: settings.partition)
    }
}

/// Why a worker cannot go on.
package enum WorkerFault: Error, CustomStringConvertible {
    case journal(JournalFault)
    case edge(EdgeFault)

    package var description: String {
        switch self {
        case .journal(let fault): "\(fault)"
        case .edge(let fault): "\(fault)"
        }
    }
}

/// What one turn has made durable, to be acted on.
struct TurnRecord {
    /// One for each message, in their order; nil where there is nothing to say.
    var replies: [[UInt8]?]
    var accepted: [WaitingDecision] = []
    /// The decisions that wait no longer.
    var leftQueue: Set<DecisionRow> = []
    /// Whether something could be sent, but all that was looked at must wait.
    var foundNothingToSend = false
    var refusedCount = 0
    var outcomes: [StoredOutcome] = []
    /// Followed or unknown executions of which something new is known.
    var changed: [OpenExecution] = []
    /// The attempt that has ended.
    var endedAttempt: OpenExecution?
    /// The attempt to begin now.
    var intent: Intent?

    /// What the kill switch says in this turn.
    private var haltsSeen: [StrategyName: Halt?] = [:]

    init(replies: [[UInt8]?] = []) {
        self.replies = replies
    }

    /// The halt that covers a strategy, looked at once a turn.
    mutating func halt(covering strategy: StrategyName, _ halts: any HaltSwitch) -> Halt? {
        if let seen = haltsSeen[strategy] { return seen }
        let halt = halts.halt(covering: strategy)
        haltsSeen[strategy] = .some(halt)
        return halt
    }

    struct Intent {
        let open: OpenExecution
        let body: [UInt8]
        let deadline: Deadline
    }

    var isEmpty: Bool {
        accepted.isEmpty && outcomes.isEmpty && changed.isEmpty && endedAttempt == nil && intent == nil
    }
}
