package import AlpacaAPI
package import TradeJournal
package import TradingCore

/// Finds out what became of orders: follows those that live, and looks for those whose answer was lost. All it can do at
/// the broker is ask: nothing here, nor anything it is given, leads to a POST.
///
/// One question is under way at a time. What an answer shows is worked out as a `Sighting`; whoever drives this stores
/// it, and hands back what has changed.
package struct OrderResolver {
    /// One question, and whom its answer is for.
    package struct Question {
        enum Subject: Equatable {
            case open(OpenOrders.LookUp)
            /// A decision that waits, and may have been sent by a worker with another copy of the database.
            case whetherSentBefore(DecisionRow)
        }

        let subject: Subject
        let request: LookUpRequest
        /// Whether the next decision, or a person, waits for its answer.
        package let isUrgent: Bool
    }

    private let line: any OrderLookUps
    private var asked: (question: Question, at: ClockReading)?
    /// The attempt that has just been lost: it is asked for once before the next decision goes out.
    package private(set) var lookUpFirst: DecisionRow?
    package private(set) var orders: OpenOrders
    package var priorSends = PriorSendChecks()
    package private(set) var questionsAsked = 0

    package init(_ line: any OrderLookUps, settleTime: Microseconds) {
        self.line = line
        orders = OpenOrders(settleTime: settleTime)
    }

    // MARK: What there is to find out

    /// Takes an execution in, or its new state; one that has ended is let go.
    /// - Parameter afterRestart: Whether time has passed unseen, so that it is to be looked at now.
    package mutating func put(_ open: OpenExecution, at now: MonotonicTime, afterRestart: Bool = false) {
        orders.put(open, at: now, afterRestart: afterRestart)
    }

    /// Takes in an attempt that has just ended. Where its answer was lost, it is asked for before anything else.
    package mutating func putEndedAttempt(_ open: OpenExecution, at now: MonotonicTime) {
        orders.put(open, at: now)
        if open.execution.certainty == .unknown { lookUpFirst = open.decisionRow }
    }

    /// Lets a strategy's orders go: another worker follows them.
    package mutating func letGo(_ strategy: StrategyName) { orders.letGo(strategy) }

    /// Asks for the unknown attempts as soon as may be, those of one client order id or all.
    package mutating func hurry(_ clientOrderID: ClientOrderID?, at now: MonotonicTime) {
        orders.hurryUnknown(clientOrderID, at: now)
    }

    /// Whether there is nothing to find out: most of the time, where orders are filled at once.
    private var isAtRest: Bool { lookUpFirst == nil && orders.count == 0 && priorSends.isEmpty }

    /// When the next question is due; nil while one is under way, or when there is none.
    /// - Parameter onlyUrgent: Whether to look only at those for whose answer a decision or a person waits.
    package func nextDue(onlyUrgent: Bool) -> MonotonicTime? {
        guard asked == nil, !isAtRest else { return nil }
        let checkDue = priorSends.nextDue(onlyUrgent: onlyUrgent)
        guard onlyUrgent else { return [checkDue, orders.nextDue].compactMap { $0 }.min() }
        return [checkDue, lookUpFirst.flatMap { orders.due(of: $0) }, orders.hurriedDue].compactMap { $0 }.min()
    }

    /// What a look-up showed is stored: the memory follows the database.
    package mutating func remember(_ stored: Sighting.Stored, at now: MonotonicTime) {
        for open in stored.changed { orders.put(open, at: now) }
        if let row = stored.wasNotSent { priorSends.clear(row) }
    }

    // MARK: Asking

    /// The question that is due, if any, and none is under way.
    package mutating func nextQuestion(at now: MonotonicTime) -> Question? {
        guard asked == nil, !isAtRest else { return nil }
        if let row = lookUpFirst {
            if let lookUp = orders.lookUp(ofUnknown: row) { return Question(lookUp, isUrgent: true) }
            lookUpFirst = nil
        }
        if let waiting = priorSends.next(at: now, onlyUrgent: true) { return Question(waiting, isUrgent: true) }
        if let lookUp = orders.nextUnknown(at: now, onlyHurried: true) { return Question(lookUp, isUrgent: true) }
        if let lookUp = orders.nextUnknown(at: now, onlyHurried: false) { return Question(lookUp, isUrgent: false) }
        // Those that are to be refused and those that are followed take turns: there may be thousands of either.
        let check = priorSends.next(at: now, onlyUrgent: false).map { Question($0, isUrgent: false) }
        let followed = orders.nextFollowed(at: now).map { Question($0, isUrgent: false) }
        return questionsAsked.isMultiple(of: 2) ? check ?? followed : followed ?? check
    }

    package mutating func ask(_ question: Question, at now: ClockReading) throws(EdgeFault) {
        precondition(asked == nil, "one question at a time")
        asked = (question, now)
        questionsAsked += 1
        try line.get(path: question.request.path)
    }

    // MARK: Reading the answer

    /// Takes the broker's answer to the question under way, once it is there, and works out what it changes.
    /// - Returns: Nil while there is none. The result is what the question came to, for the allowance that it tells of.
    package mutating func takeAnswer(at now: ClockReading) -> (sighting: Sighting, result: HTTPExchangeResult)? {
        guard let (question, askedAt) = asked, let result = line.takeResult() else { return nil }
        asked = nil
        var sighting = Sighting(request: question.request, askedAt: askedAt.moment, result: result)
        switch question.subject {
        case .open(.unknown(let row, _)):
            if row == lookUpFirst { lookUpFirst = nil }
            see(row, question, &sighting, askedAt: askedAt.monotonic, at: now)
        case .open(.single(let row, _)): see(row, question, &sighting, askedAt: askedAt.monotonic, at: now)
        case .open(.listing(let rows, _)): see(rows, question, &sighting, at: now)
        case .whetherSentBefore(let row): seeWhetherSentBefore(row, &sighting, at: now)
        }
        return (sighting, result)
    }

    private mutating func see(
        _ row: DecisionRow, _ question: Question, _ sighting: inout Sighting, askedAt: MonotonicTime,
        at now: ClockReading
    ) {
        guard var open = orders.execution(row) else { return }
        if open.execution.decisionStatus.isFinal { return seeLegs(of: open, question, &sighting, at: now) }
        let wasUnknown = open.execution.certainty == .unknown
        sighting.isOfUnknown = wasUnknown
        switch sighting.answer {
        case .order(let order):
            guard open.execution.observe(order, terms: open.decision.order, at: now.moment) else {
                orders.gotNoAnswer(question, at: now.monotonic)
                break
            }
            orders.looked(row, changed: true, at: now.monotonic)
            open.lookUps += 1
            // An order under our id that is somebody else's is evidence, but not an order of the decision.
            let isOurs = open.execution.alpacaOrderID != nil
            return sighting.changes.append(
                Sighting.Change(open: open, order: isOurs ? order : nil, evidence: sighting.evidence))
        case .noSuchOrder:
            switch orders.wasNotFound(row, askedAt: askedAt, at: now.monotonic) {
            case .absent:
                open.lookUps += 1
                open.execution.proveAbsent(at: now.moment)
                return sighting.changes.append(
                    Sighting.Change(open: open, order: nil, evidence: sighting.evidence))
            case .stillUnknown: break
            }
        case .unreadable: orders.gotNoAnswer(question, at: now.monotonic)
        }
        if wasUnknown { sighting.notes.append(row) }
    }

    /// Of an order that has ended, only the exits that hang on it are of interest. Where the broker shows none any more,
    /// they are given up.
    private mutating func seeLegs(
        of open: OpenExecution, _ question: Question, _ sighting: inout Sighting, at now: ClockReading
    ) {
        var open = open
        orders.gotNoAnswer(question, at: now.monotonic)
        open.lookUps += 1
        switch sighting.answer {
        case .order(let order):
            if !open.execution.noteLegs(of: order) { open.execution.giveUpLegs() }
            sighting.legs = Sighting.Legs(open: open, order: order)
        case .noSuchOrder:
            open.execution.giveUpLegs()
            sighting.legs = Sighting.Legs(open: open, order: nil)
        case .unreadable: break
        }
    }

    private mutating func see(
        _ rows: [DecisionRow], _ question: Question, _ sighting: inout Sighting, at now: ClockReading
    ) {
        guard let answer = sighting.okAnswer, let listing = OrderAnswer.listing(answer.body) else {
            return orders.gotNoAnswer(question, at: now.monotonic)
        }
        let shown = Dictionary(listing.map { ($0.order.id, $0) }) { first, _ in first }
        for row in rows {
            guard var open = orders.execution(row), let id = open.execution.followedOrderID else { continue }
            guard let (order, bytes) = shown[id] else {
                orders.wasNotListed(row, at: now.monotonic)
                continue
            }
            let changed = open.execution.observe(order, terms: open.decision.order, at: now.moment)
            orders.looked(row, changed: changed, at: now.monotonic)
            open.lookUps += 1
            if changed {
                // Of a listing, the order's own object is the evidence.
                var ownPart = answer
                ownPart.body = bytes
                sighting.changes.append(
                    Sighting.Change(open: open, order: order, evidence: sighting.payload(of: ownPart)))
            }
        }
    }

    private mutating func seeWhetherSentBefore(_ row: DecisionRow, _ sighting: inout Sighting, at now: ClockReading) {
        guard let waiting = priorSends.waiting(row) else { return }
        switch sighting.answer {
        case .order, .noSuchOrder: sighting.mayHaveBeenSent = waiting
        case .unreadable: priorSends.gotNoAnswer(row, at: now.monotonic)
        }
    }
}

extension OrderResolver.Question {
    fileprivate init(_ waiting: WaitingDecision, isUrgent: Bool) {
        self.init(
            subject: .whetherSentBefore(waiting.row), request: .orderByClientID(waiting.decision.clientOrderID),
            isUrgent: isUrgent)
    }

    fileprivate init(_ lookUp: OpenOrders.LookUp, isUrgent: Bool) {
        let request: LookUpRequest
        switch lookUp {
        case .unknown(_, let asked), .single(_, let asked), .listing(_, let asked): request = asked
        }
        self.init(subject: .open(lookUp), request: request, isUrgent: isUrgent)
    }
}

extension OpenOrders {
    fileprivate mutating func gotNoAnswer(_ question: OrderResolver.Question, at now: MonotonicTime) {
        guard case .open(let lookUp) = question.subject else { return }
        gotNoAnswer(lookUp, at: now)
    }
}
