import AlpacaAPI
import TradeJournal
import TradingCore

/// What a look-up showed, worked out but not stored yet.
struct Sighting {
    /// One execution of which something new is known, with the evidence.
    struct Change {
        var open: OpenExecution
        /// The order as it was shown; nil where its absence is what is new.
        var order: BrokerOrder?
        /// The bytes that prove it.
        var evidence: Payload
    }

    let request: LookUpRequest
    let askedAt: Timestamp
    var changes: [Change] = []
    /// Evidence about unknown attempts that changed nothing yet.
    var notes: [(decision: DecisionRow, evidence: Payload)] = []

    var needsStoring: Bool { !changes.isEmpty || !notes.isEmpty }
}

/// How orders are followed and lost answers found again. Nothing here can reach the POST.
extension Worker {
    // MARK: Asking

    /// Asks the broker the question that is due, if any. An attempt that was just lost is asked for at once; all other
    /// questions never take an allowance that a waiting decision needs.
    func askBroker(at now: ClockReading) throws(WorkerFault) {
        guard lookUp == nil, !isDraining, storage == .working else { return }
        let question: OpenOrders.LookUp?
        if let row = lookUpFirst {
            question = openOrders.lookUp(ofUnknown: row)
            if question == nil { lookUpFirst = nil }
        } else {
            question = openOrders.next(at: now.monotonic)
        }
        guard let question else { return }
        let needed = lookUpFirst == nil ? queue.count : 0
        guard pacing.allowance(at: now.monotonic) > needed else { return }
        pacing.begin(at: now.monotonic)
        lookUp = question
        lookUpAskedAt = now.moment
        lookUpCount += 1
        do throws(EdgeFault) {
            try lookUps.get(path: question.request.path)
            probe.pass(.asked)
        } catch {
            throw .edge(error)
        }
    }

    // MARK: Reading the answer

    /// Takes the broker's answer to a question and works out what it changes.
    func takeLookUpResult(at now: ClockReading) -> Sighting? {
        guard let question = lookUp, let result = lookUps.takeResult() else { return nil }
        lookUp = nil
        if case .unknown(let row, _) = question, row == lookUpFirst { lookUpFirst = nil }
        notePacing(result, at: now)
        switch (question, result) {
        case (.unknown(let row, _), .answered(let answer)), (.single(let row, _), .answered(let answer)):
            return sighting(of: row, question, answer, at: now)
        case (.listing(let rows, _), .answered(let answer)):
            return sighting(of: rows, question, answer, at: now)
        case (_, .notSent), (_, .lost):
            openOrders.gotNoAnswer(question, at: now.monotonic)
            return Sighting(request: question.request, askedAt: lookUpAskedAt)
        }
    }

    private func sighting(
        of row: DecisionRow, _ question: OpenOrders.LookUp, _ answer: HTTPAnswer, at now: ClockReading
    ) -> Sighting {
        var sighting = Sighting(request: question.request, askedAt: lookUpAskedAt)
        guard var open = openOrders.execution(row) else { return sighting }
        let evidence = Payload(answerToGet: question.request, answer)
        if answer.statusCode == 200, let order = OrderAnswer.order(answer.body) {
            guard open.execution.observe(order, terms: open.decision.order, at: now.moment) else {
                openOrders.gotNoAnswer(question, at: now.monotonic)
                return sighting
            }
            openOrders.looked(row, changed: true, at: now.monotonic)
            open.lookUps += 1
            // An order under our id that is somebody else's is evidence, but not an order of the decision.
            let isOurs = open.execution.alpacaOrderID != nil
            sighting.changes.append(
                Sighting.Change(open: open, order: isOurs ? order : nil, evidence: evidence))
        } else if answer.saysThatThereIsNoSuchOrder {
            switch openOrders.wasNotFound(row, at: now.monotonic) {
            case .absent:
                open.lookUps += 1
                open.execution.proveAbsent(at: now.moment)
                sighting.changes.append(Sighting.Change(open: open, order: nil, evidence: evidence))
            case .stillUnknown:
                if open.execution.certainty == .unknown { sighting.notes.append((row, evidence)) }
            }
        } else {
            openOrders.gotNoAnswer(question, at: now.monotonic)
        }
        return sighting
    }

    private func sighting(
        of rows: [DecisionRow], _ question: OpenOrders.LookUp, _ answer: HTTPAnswer, at now: ClockReading
    ) -> Sighting {
        var sighting = Sighting(request: question.request, askedAt: lookUpAskedAt)
        guard answer.statusCode == 200, let listing = OrderAnswer.listing(answer.body) else {
            openOrders.gotNoAnswer(question, at: now.monotonic)
            return sighting
        }
        let shown = Dictionary(listing.map { ($0.order.id, $0) }) { first, _ in first }
        for row in rows {
            guard var open = openOrders.execution(row), let id = open.execution.followedOrderID else { continue }
            guard let (order, bytes) = shown[id] else {
                openOrders.wasNotListed(row, at: now.monotonic)
                continue
            }
            let changed = open.execution.observe(order, terms: open.decision.order, at: now.moment)
            openOrders.looked(row, changed: changed, at: now.monotonic)
            open.lookUps += 1
            if changed {
                var ownPart = answer
                ownPart.body = bytes
                sighting.changes.append(
                    Sighting.Change(
                        open: open, order: order, evidence: Payload(answerToGet: question.request, ownPart)))
            }
        }
        return sighting
    }

    // MARK: Storing

    /// Stores what a look-up changed, with the look-up itself as evidence.
    func keep(
        _ sighting: Sighting, in transaction: borrowing JournalTransaction, _ record: inout TurnRecord,
        at now: ClockReading
    ) throws(JournalFault) {
        let question = Payload(.request, method: "GET", endpoint: sighting.request.path, body: [])
        for (decision, evidence) in sighting.notes {
            _ = try transaction.keep(question, of: decision, at: sighting.askedAt)
            _ = try transaction.keep(evidence, of: decision, at: now.moment)
        }
        for change in sighting.changes {
            let decision = change.open.decisionRow
            _ = try transaction.keep(question, of: decision, at: sighting.askedAt)
            _ = try transaction.keep(change.evidence, of: decision, at: now.moment)
            if let order = change.order { try transaction.keep(order, of: decision, at: now.moment) }
            record.outcomes.append(try store(change.open, response: nil, in: transaction, at: now.moment))
            record.changed.append(change.open)
        }
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

extension Payload {
    fileprivate init(answerToGet request: LookUpRequest, _ answer: HTTPAnswer) {
        self.init(
            .response, method: "GET", endpoint: request.path, statusCode: answer.statusCode, body: answer.body,
            headers: answer.headers)
    }
}
