import AlpacaAPI
package import Logging
package import OrderResolution
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
    let warmUpLine: any OrderLookUps
    let halts: any HaltSwitch
    /// Nil where none are set.
    let limits: SendLimits?
    /// Nil where every strategy is the worker's.
    var partitions: PartitionKeeping?
    /// Nil where no strategy moves.
    let moveRequests: (any MoveRequests)?
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
    var resolver: OrderResolver
    /// Whether all decisions at the front of the queue must wait, so that those behind them are looked at.
    var frontIsHeldBack = false
    var pacing: RequestPacing
    var haltKeeping: HaltKeeping
    var storage: Storage = .working
    var isDraining = false
    var heartbeatDue: MonotonicTime
    /// The halts that the last heartbeat told of.
    var haltedAtHeartbeat: [Halt] = []
    /// When something was last written to the database.
    var lastWrite: MonotonicTime
    /// From when on the connection to the broker counts as cold.
    var coldFrom: MonotonicTime
    var isWarmingUp = false
    var refusedCount = 0
    var refusalKeeping = RefusalKeeping()
    var logAllowance = LogAllowance()
    let startedAt: ClockReading
    /// Called while one turn takes long, so that whoever watches the worker knows that it lives.
    package var whileBusy: () -> Void = {}

    /// Whether what is decided can be stored.
    enum Storage: Equatable {
        case working
        /// Nothing is taken and nothing is sent; the next write is tried at `retryAt`.
        case failing(JournalFault, retryAt: MonotonicTime)
    }

    package init(
        settings: WorkerSettings, journal: TradeJournal, intake: Intake, topic: any OutcomeTopic,
        placement: any OrderPlacement, lookUps: any OrderLookUps, warmUpLine: any OrderLookUps,
        halts: any HaltSwitch, limits: SendLimits? = nil, partitionMap: (any WatchedText<PartitionMap>)? = nil,
        moveRequests: (any MoveRequests)? = nil, clock: any WorkerClock, executionIDs: any ExecutionIDs,
        probe: any WorkerProbe = NoProbe(), log: Logger
    ) throws(WorkerFault) {
        self.settings = settings
        self.journal = journal
        self.intake = intake
        self.topic = topic
        self.placement = placement
        self.warmUpLine = warmUpLine
        self.halts = halts
        self.limits = limits
        self.moveRequests = moveRequests
        self.clock = clock
        self.executionIDs = executionIDs
        self.probe = probe
        self.log = log
        pacing = RequestPacing(perMinute: settings.requestsPerMinute)
        resolver = OrderResolver(lookUps, settleTime: settings.settleTime)
        startedAt = clock.read()
        heartbeatDue = startedAt.monotonic
        lastWrite = startedAt.monotonic
        coldFrom = startedAt.monotonic
        haltKeeping = HaltKeeping(
            audit: HaltAudit(), historyEnd: 0, automatic: AutomaticHalt(settings.automaticHalt))
        do throws(JournalFault) {
            queue = try WaitingQueue(journal)
        } catch {
            throw .journal(error)
        }
        if let partitionMap {
            partitions = try PartitionKeeping(partitionMap, of: settings.partition, journal, at: startedAt)
        } else {
            try Self.refuseWithoutMap(journal)
        }
        partitions?.warnOfRestoration(log)
        try takeUpOpenExecutions()
        do throws(JournalFault) {
            try limits?.recount(journal, at: startedAt)
            haltKeeping = try Self.takeUpHalts(settings, journal, halts, unknown: resolver.orders.unknown, log: log)
        } catch {
            throw .journal(error)
        }
    }

    // MARK: The story of a decision

    /// One turn of the loop, which is the whole story of a decision in order:
    /// it comes in; it is stored, together with what the broker answered to the one before and with the intent to send
    /// the next; outcomes are published, the request goes out, and the publisher gets its acknowledgement.
    /// - Returns: Whether another turn may find more to do at once.
    package func turn() throws(WorkerFault) -> Bool {
        let now = clock.read()
        let isHeartbeatDue = now.monotonic >= heartbeatDue
        let (messages, mayBeMore) = try receiveMessages()
        if !messages.isEmpty { probe.pass(.received) }
        takeAttemptResult(at: now)
        let seen = takeLookUpAnswer(at: now)
        takeLimitAnswer(at: now)
        haltByItself(seen, at: now)
        let inForce = isHeartbeatDue ? haltsInForce() : HaltsInForce()
        lookAtPartitionMap(messages, isHeartbeatDue: isHeartbeatDue)
        lookForLimits(isHeartbeatDue: isHeartbeatDue)

        let record = try store(messages, seen, isHeartbeatDue ? lookAtHalts(inForce, at: now) : nil, at: now)
        remember(record, at: now)

        logIntake(record)
        try publish(record.outcomes)
        try send(record.intent, chosenAt: now)
        try reply(to: messages, record.replies)
        try askForLimits(at: now)
        try askBroker(at: now)
        try keepConnectionWarm(at: now)
        if isHeartbeatDue {
            try beatHeart(inForce.all, at: now)
            reportRefusals(at: now)
            reportUnloggedOutcomes(at: now)
            try workOnMoves(at: now)
        }
        try copyLogBack(at: now)
        if storage == .working, attemptResult != nil || attempt == nil && !record.isEmpty { return true }
        return mayBeMore || seen != nil || frontIsHeldBack && queue.canReadOn
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
        if case .failing(_, let retryAt) = storage { return min(heartbeatDue, retryAt) }
        var next = min(heartbeatDue, copyingDue ?? heartbeatDue)
        if isDraining { return next }
        let now = clock.read().monotonic
        if let allowed = pacing.nextAllowance(after: now) {
            let hasSomethingToSend = !queue.front.isEmpty || resolver.nextDue(onlyUrgent: false) != nil
            if hasSomethingToSend { next = min(next, allowed) }
        } else if let due = resolver.nextDue(onlyUrgent: !mayAskIdly(at: now)) {
            next = min(next, due)
        }
        if let due = limitQuestionDue(at: now) { next = min(next, due) }
        return next
    }

    // MARK: Storing

    /// Everything of one turn that must be durable before it is acted on, in one transaction.
    /// - Parameter haltNews: What has become of halts; nil where no heartbeat is due.
    private func store(
        _ requests: [Incoming<Intake.Envelope>], _ seen: Sighting?, _ haltNews: HaltNews?, at now: ClockReading
    ) throws(WorkerFault) -> TurnRecord {
        let isHeartbeatDue = haltNews != nil
        var isRetry = false
        if case .failing(let fault, let retryAt) = storage {
            if now.monotonic < retryAt { return TurnRecord(replies: try refusals(to: requests, for: fault)) }
            isRetry = true
        }
        do throws(JournalFault) {
            if queue.canReadOn, queue.front.isEmpty || frontIsHeldBack { try queue.readOn(journal) }
            let record = TurnRecord()
            let keepsRefused = refusalKeeping.mayKeep(at: now.monotonic)
            guard
                requests.contains(where: { $0.needsStoring(keepingRefused: keepsRefused) }) || attemptResult != nil
                    || seen?.needsStoring ?? false || haltNews?.needsStoring ?? false || isRetry
                    || partitions?.next != nil
                    || mayFindWorkInQueue(isHeartbeatDue: isHeartbeatDue, at: now)
            else {
                if let haltNews { remember(haltNews) }
                try answerReadOnly(requests, record, at: now)
                return record
            }

            let commitsBefore = journal.commitsInLog
            try journal.write { (transaction) throws(JournalFault) in
                if isRetry { try transaction.tryOut() }
                if let map = partitions?.next { try transaction.keep(map, at: now.moment) }
                for request in requests { try take(request, in: transaction, record, at: now) }
                if let result = attemptResult { try endAttempt(result, in: transaction, record, at: now) }
                if let seen { try keep(seen, in: transaction, record, at: now) }
                if let haltNews { try keep(haltNews, in: transaction, at: now) }
                try workThroughQueue(in: transaction, record, everything: isHeartbeatDue, at: now)
                record.pass(probe, isCommitted: false)
            }
            if journal.commitsInLog != commitsBefore { lastWrite = now.monotonic }
            record.pass(probe, isCommitted: true)
            if storage != .working { log.notice("the database can be written again") }
            storage = .working
            partitions?.nextIsStored(log)
            if let haltNews { remember(haltNews) }
            try answerReadOnly(requests, record, at: now)
            return record
        } catch {
            try storageFailed(error, at: now)
            return TurnRecord(replies: try refusals(to: requests, for: error))
        }
    }

    /// A write failed, so nothing of it has happened: publishers are told to try again, nothing is sent, and the answer
    /// that the broker gave is kept in memory until it can be stored.
    func storageFailed(_ fault: JournalFault, at now: ClockReading) throws(WorkerFault) {
        guard fault.mayPass else { throw .journal(fault) }
        if storage == .working { logStorageFailed(fault) }
        storage = .failing(fault, retryAt: now.monotonic + .seconds(1))
        // They may count what was not stored.
        limits?.forgetCounters()
    }

    /// The memory follows the database.
    private func remember(_ record: TurnRecord, at now: ClockReading) {
        queue.apply(accepted: record.accepted, ended: record.leftQueue)
        for (waiting, refusal) in record.toLookUp {
            resolver.priorSends.begin(waiting, refusal: refusal, at: now.monotonic)
        }
        for row in record.leftQueue { resolver.priorSends.forget(row) }
        frontIsHeldBack = record.foundNothingToSend
        refusedCount += record.refusedCount
        if let seen = record.seen {
            resolver.remember(seen, at: now.monotonic)
            for open in seen.changed { limits?.note(open, at: now) }
        }
        if let ended = record.endedAttempt {
            attempt = nil
            attemptResult = nil
            resolver.putEndedAttempt(ended, at: now.monotonic)
        }
        if let intent = record.intent {
            attempt = intent.open
            limits?.count(intent.waiting, at: now)
        }
    }

    func publish(_ outcomes: [StoredOutcome]) throws(WorkerFault) {
        do throws(EdgeFault) {
            for outcome in outcomes {
                try topic.publish(topic: outcome.topic, body: outcome.body)
                probe.pass(.outcomePublished)
                logOutcome(outcome)
            }
        } catch {
            throw .edge(error)
        }
    }

    // MARK: Restart

    /// Without a map nobody says which strategies are another worker's by now.
    private static func refuseWithoutMap(_ journal: TradeJournal) throws(WorkerFault) {
        let moves: [StrategyMove]
        let knowsMaps: Bool
        do throws(JournalFault) {
            moves = try journal.strategyMoves()
            knowsMaps = try journal.lastPartitionMap() != nil
        } catch {
            throw .journal(error)
        }
        if journal.isRestored, knowsMaps {
            throw .partitionMap(
                "the database was restored from a copy of a worker that had a partition map; say --partition-map, without "
                    + "which strategies that have moved since would be taken here too")
        }
        guard let away = moves.first(where: { !$0.step.takesDecisions }) else { return }
        throw .partitionMap(
            "the strategy \(away.strategy) has moved to another partition or is moving; say --partition-map, without "
                + "which it would be taken here too")
    }

    /// Takes up what the process before this one has left at the broker. What waits is in the queue.
    private func takeUpOpenExecutions() throws(WorkerFault) {
        let outcomes: [StoredOutcome]
        do throws(JournalFault) {
            outcomes = try resolver.takeUp(from: journal, partition: settings.partition, at: startedAt)
        } catch {
            throw .journal(error)
        }
        if resolver.orders.count > 0 || queue.count > 0 {
            log.notice(
                """
                taking up \(queue.count) waiting decisions and \(resolver.orders.count) open orders, \
                \(resolver.orders.unknownCount) of them unknown
                """)
        }
        try publish(outcomes)
    }
}

/// Why a worker cannot go on.
package enum WorkerFault: Error, CustomStringConvertible {
    case journal(JournalFault)
    case edge(EdgeFault)
    /// The worker has no place in the partition map, or the map none after the one before.
    case partitionMap(String)

    package var description: String {
        switch self {
        case .journal(let fault): "\(fault)"
        case .edge(let fault): "\(fault)"
        case .partitionMap(let problem): problem
        }
    }
}

/// What one turn has made durable, to be acted on. A class, so that handing it on copies a pointer.
final class TurnRecord {
    /// One for each message, in their order; nil where there is nothing to say.
    var replies: [[UInt8]?]
    var accepted: [WaitingDecision] = []
    /// The decisions that wait no longer.
    var leftQueue: Set<DecisionRow> = []
    /// Decisions that are to be sent or refused, and that another worker may have sent.
    var toLookUp: [(waiting: WaitingDecision, refusal: SendRefusal?)] = []
    /// Whether something could be sent, but all that was looked at must wait.
    var foundNothingToSend = false
    var refusedCount = 0
    /// Those of the refused messages that are kept: of a flood only so many.
    var keptRefusals: [RefusedFrame] = []
    var outcomes: [StoredOutcome] = []
    /// What a look-up showed.
    var seen: Sighting.Stored?
    /// Whether waiting decisions were refused.
    var refusedWaiting = false
    /// The attempt that has ended.
    var endedAttempt: OpenExecution?
    /// The attempt to begin now.
    var intent: Intent?

    /// Whether it was looked in this turn whether there are other limits.
    var hasLookedForLimits = false

    /// What the kill switch says in this turn.
    private var haltsSeen: [StrategyName: Halt?] = [:]

    init(replies: [[UInt8]?] = []) {
        self.replies = replies
    }

    /// The halt that covers a strategy, looked at once a turn.
    func halt(covering strategy: StrategyName, _ look: (StrategyName) -> Halt?) -> Halt? {
        if let seen = haltsSeen[strategy] { return seen }
        let halt = look(strategy)
        haltsSeen[strategy] = .some(halt)
        return halt
    }

    struct Intent {
        let open: OpenExecution
        let body: [UInt8]
        let waiting: WaitingDecision
    }

    var isEmpty: Bool { accepted.isEmpty && outcomes.isEmpty && intent == nil }

    /// Tells the probe which points have been reached, all in this one transaction.
    func pass(_ probe: any WorkerProbe, isCommitted: Bool) {
        if !accepted.isEmpty { probe.pass(isCommitted ? .acceptanceCommitted : .acceptanceWritten) }
        if endedAttempt != nil { probe.pass(isCommitted ? .answerCommitted : .answerWritten) }
        if seen != nil { probe.pass(isCommitted ? .lookUpCommitted : .lookUpWritten) }
        if refusedWaiting { probe.pass(isCommitted ? .refusalCommitted : .refusalWritten) }
        if intent != nil { probe.pass(isCommitted ? .intentCommitted : .intentWritten) }
    }
}
