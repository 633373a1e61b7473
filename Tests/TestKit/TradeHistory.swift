import AlpacaAPI
package import TradeJournal
package import TradingCore

/// Writes a database as a worker would, one decision after the other, each a second later than the one before.
package final class TradeHistory {
    package let journal: TradeJournal
    /// The moment of the next thing that happens.
    package private(set) var now: Timestamp

    /// - Parameter start: When it begins, RFC 3339.
    package init(path: String, start: String) throws {
        journal = try TradeJournal(path: path)
        guard let time = Timestamp(start) else { throw TestFailure("\(start) is no time") }
        now = time
    }

    /// How an attempt ended.
    package enum Ending {
        /// With this answer, HTTP 200; a whole order as JSON.
        case order(String)
        /// With an error answer.
        case error(status: Int, body: String)
        /// Before anything was written.
        case notSent(String)
        /// Without a readable answer.
        case lost(String)
    }

    /// An order as the broker shows it, with the fields that are read.
    package static func order(
        _ id: String, client: String, status: String, filled: String = "0", price: String? = nil, more: String = ""
    ) -> String {
        let price = price.map { "\"\($0)\"" } ?? "null"
        return """
            {"id":"\(id)","client_order_id":"\(client)","status":"\(status)","symbol":"AAPL","side":"buy","qty":"10",\
            "filled_qty":"\(filled)","filled_avg_price":\(price)\(more)}
            """
    }

    /// Accepts a decision: ten shares of AAPL, unless `members` say otherwise.
    @discardableResult
    package func accept(_ id: String, strategy: String = "s", _ members: String = "") throws -> DecisionRow {
        now = now.advanced(bySeconds: 1)
        let message = Array(RunningWorker.decision(id, strategy: strategy, members).utf8)
        let decision = try decision(message)
        let deadline = Deadline(
            moment: now.advanced(bySeconds: 300), monotonic: MonotonicTime(microseconds: 1), bootID: "test")
        let arrival = Arrival(
            decision: decision, message: message, sender: "127.0.0.1", receivedAt: now, deadline: deadline)
        waiting.append(decision)
        let row = try journal.write { (transaction) throws(JournalFault) in try transaction.accept(arrival) }
        guard let row else { preconditionFailure("\(id) was accepted before") }
        return row
    }

    private var waiting: [Decision] = []

    /// Refuses a decision before it is sent.
    package func refuse(
        _ id: String, strategy: String = "s", _ members: String = "", for refusal: SendRefusal = .expired
    ) throws {
        let row = try accept(id, strategy: strategy, members)
        guard let decision = waiting.popLast() else { return }
        let outcome = Outcome(
            DecisionSummary(decision), refusedFor: refusal, at: now)
        try write { (transaction, partition) throws(JournalFault) in
            _ = try transaction.append(outcome, of: row, partition: partition)
        }
    }

    /// Accepts a decision and begins its attempt; it stays `sending` unless there is an ending.
    @discardableResult
    package func execute(
        _ id: String, strategy: String = "s", _ members: String = "", ending: Ending? = nil
    ) throws -> ExecutionRow {
        let row = try accept(id, strategy: strategy, members)
        guard let decision = waiting.popLast() else { throw TestFailure("the decision has just been accepted") }
        executionCount += 1
        var execution = Execution(
            id: "execution-\(executionCount)", clientOrderID: decision.clientOrderID, submittedAt: now)
        let executionRow = try journal.write { (transaction) throws(JournalFault) in
            try transaction.begin(
                execution, of: row,
                request: Payload(
                    .request, method: "POST", endpoint: OrderRequest.path, body: OrderRequest.body(for: decision)))
        }
        guard let ending else { return executionRow }

        let exchange = exchange(of: ending)
        let meaning = AttemptResult(exchange, clientOrderID: execution.clientOrderID)
        execution.end(meaning, httpStatusCode: exchange.testStatusCode, terms: decision.order, at: now)
        let open = OpenExecution(decisionRow: row, row: executionRow, decision: decision, execution: execution)
        try write { [now] (transaction, partition) throws(JournalFault) in
            var response: PayloadRow?
            if case .answered(let answer) = exchange {
                response = try transaction.keep(
                    Payload(
                        .response, method: "POST", endpoint: OrderRequest.path, statusCode: answer.statusCode,
                        body: answer.body, headers: answer.headers), of: row, at: now)
            }
            if case .taken(let order) = meaning { try transaction.keep(order, of: row, isPlaced: true, at: now) }
            try transaction.update(open, response: response, at: now)
            _ = try transaction.append(
                Outcome(DecisionSummary(decision), of: open.execution, at: now), of: row, partition: partition)
        }
        return executionRow
    }

    private var executionCount = 0

    /// Keeps a message that was not taken.
    package func keepRefusedMessage(_ body: String) throws {
        let time = now
        try write { (transaction, _) throws(JournalFault) in
            try transaction.refuse(Refusal(.badJSON, "no JSON"), body: Array(body.utf8), sender: nil, at: time)
        }
    }

    private func write(
        _ body: (borrowing JournalTransaction, PartitionName) throws(JournalFault) -> Void
    ) throws {
        guard let partition = PartitionName("p0") else { throw TestFailure("p0 is a name") }
        try journal.write { (transaction) throws(JournalFault) in try body(transaction, partition) }
    }

    private func decision(_ message: [UInt8]) throws -> Decision {
        guard case .success(.decision(let decision)) = RequestFrame.read(message) else {
            throw TestFailure("no decision: \(String(decoding: message, as: UTF8.self))")
        }
        return decision
    }

    private func exchange(of ending: Ending) -> HTTPExchangeResult {
        switch ending {
        case .order(let body):
            .answered(
                HTTPAnswer(statusCode: 200, body: Array(body.utf8), headers: BrokerHeaders(requestID: "request-1")))
        case .error(let status, let body): .answered(HTTPAnswer(statusCode: status, body: Array(body.utf8)))
        case .notSent(let reason): .notSent(reason: reason)
        case .lost(let reason): .lost(reason: reason, partial: nil)
        }
    }
}

extension HTTPExchangeResult {
    fileprivate var testStatusCode: Int? {
        guard case .answered(let answer) = self else { return nil }
        return answer.statusCode
    }
}
