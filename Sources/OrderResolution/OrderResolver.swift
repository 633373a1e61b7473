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
        /// Whether the next decision waits for its answer.
        package let isUrgent: Bool
    }

    private let line: any OrderLookUps
    private var asked: (question: Question, at: Timestamp)?
    /// The attempt that has just been lost: it is asked for once before the next decision goes out.
    package private(set) var lookUpFirst: DecisionRow?
    package private(set) var orders: OpenOrders
    package var sentBefore = SentBeforeChecks()
    /// How many questions have been asked.
    package private(set) var count = 0

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

    /// Asks for the unknown attempts as soon as may be, those of one client order id or all.
    package mutating func hurry(_ clientOrderID: ClientOrderID?, at now: MonotonicTime) {
        orders.hurryUnknown(clientOrderID, at: now)
    }

    /// When the next question is due; nil while one is under way, or when there is none.
    /// - Parameter onlyUrgent: Whether to look only at those for whose answer a decision waits.
    package func nextDue(onlyUrgent: Bool) -> MonotonicTime? {
        guard asked == nil else { return nil }
        let checkDue = sentBefore.nextDue(onlyUrgent: onlyUrgent)
        let orderDue = onlyUrgent ? lookUpFirst.flatMap { orders.due(of: $0) } : orders.nextDue
        return [checkDue, orderDue].compactMap { $0 }.min()
    }

    /// What a look-up showed is stored: the memory follows the database.
    package mutating func remember(_ stored: Sighting.Stored, at now: MonotonicTime) {
        for open in stored.changed { orders.put(open, at: now) }
        if let row = stored.wasNotSent { sentBefore.clear(row) }
    }

    // MARK: Asking

    /// The question that is due, if any, and none is under way.
    package mutating func nextQuestion(at now: MonotonicTime) -> Question? {
        guard asked == nil else { return nil }
        if let row = lookUpFirst {
            if let lookUp = orders.lookUp(ofUnknown: row) { return Question(lookUp, isUrgent: true) }
            lookUpFirst = nil
        }
        for onlyUrgent in [true, false] {
            guard let waiting = sentBefore.next(at: now, onlyUrgent: onlyUrgent) else { continue }
            return Question(
                subject: .whetherSentBefore(waiting.row), request: .orderByClientID(waiting.decision.clientOrderID),
                isUrgent: onlyUrgent)
        }
        return orders.next(at: now).map { Question($0, isUrgent: false) }
    }

    package mutating func ask(_ question: Question, at now: Timestamp) throws(EdgeFault) {
        precondition(asked == nil, "one question at a time")
        asked = (question, now)
        count += 1
        try line.get(path: question.request.path)
    }

    // MARK: Reading the answer

    /// Takes the broker's answer to the question under way, once it is there, and works out what it changes.
    /// - Returns: Nil while there is none. The result is what the question came to, for the allowance that it tells of.
    package mutating func takeAnswer(at now: ClockReading) -> (sighting: Sighting, result: HTTPExchangeResult)? {
        guard let (question, askedAt) = asked, let result = line.takeResult() else { return nil }
        asked = nil
        var sighting = Sighting(request: question.request, askedAt: askedAt, result: result)
        switch question.subject {
        case .open(.unknown(let row, _)):
            if row == lookUpFirst { lookUpFirst = nil }
            see(row, question, &sighting, at: now)
        case .open(.single(let row, _)): see(row, question, &sighting, at: now)
        case .open(.listing(let rows, _)): see(rows, question, &sighting, at: now)
        case .whetherSentBefore(let row): seeWhetherSentBefore(row, &sighting, at: now)
        }
        return (sighting, result)
    }

    private mutating func see(
        _ row: DecisionRow, _ question: Question, _ sighting: inout Sighting, at now: ClockReading
    ) {
        guard var open = orders.execution(row) else { return }
        let wasUnknown = open.execution.certainty == .unknown
        switch sighting.answer {
        case .order(let order) where open.execution.decisionStatus.isFinal:
            orders.looked(row, changed: false, at: now.monotonic)
            if open.execution.noteLegs(of: order) { sighting.legs = Sighting.Legs(open: open, order: order) }
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
            switch orders.wasNotFound(row, at: now.monotonic) {
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
        // It may have left the queue meanwhile, sent after all.
        guard let waiting = sentBefore.waiting(row) else { return }
        switch sighting.answer {
        case .order, .noSuchOrder: sighting.mayHaveBeenSent = waiting
        case .unreadable: sentBefore.gotNoAnswer(row, at: now.monotonic)
        }
    }
}

extension OrderResolver.Question {
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
