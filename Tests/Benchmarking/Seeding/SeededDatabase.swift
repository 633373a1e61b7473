import AlpacaAPI
import GRDB
import HostSystem
import TradeJournal
package import TradingCore

/// A worker's database with a past: written by the same calls that the worker makes, many trades in one transaction.
package enum SeededDatabase {
    /// How many trades share a transaction.
    private static let batch = 2000
    private static let days: Int64 = 30

    /// Makes a state directory with so many executions, spread over the thirty days before `now`.
    /// - Parameter progress: Told from time to time how many there are.
    package static func make(
        in stateDirectory: String, count: Int, now: Timestamp, progress: (Int) -> Void
    ) throws {
        try Files.makeDirectory(stateDirectory)
        let journal = try TradeJournal(path: StateDirectory.databasePath(in: stateDirectory))
        guard let partition = PartitionName("p0") else { throw BenchmarkFailure("p0 is a name") }
        var generator = SystemRandomNumberGenerator()
        let start = now.advanced(bySeconds: -days * 86_400)
        let step = days * 86_400 * 1_000_000_000 / Int64(max(count, 1))
        var told = 0
        for first in stride(from: 0, to: count, by: batch) {
            let trades = try (first..<min(first + batch, count)).map { number in
                try SeededTrade(
                    number, at: Timestamp(nanoseconds: start.nanoseconds + Int64(number) * step), using: &generator)
            }
            try journal.write { (transaction) throws(JournalFault) in
                for trade in trades { try keep(trade, in: transaction, partition) }
            }
            try journal.checkpoint()
            let done = first + trades.count
            if done - told >= 100_000 || done == count {
                told = done
                progress(done)
            }
        }
    }

    /// How many executions a state directory has; nil where it has no database.
    package static func count(in stateDirectory: String) throws -> Int? {
        let path = StateDirectory.databasePath(in: stateDirectory)
        guard try Files.exists(path) else { return nil }
        return try DatabaseFile.read(path) { try Int.fetchOne($0, sql: "SELECT count(*) FROM trade_executions") }
    }

    // MARK: One trade

    private static func keep(
        _ trade: SeededTrade, in transaction: borrowing JournalTransaction, _ partition: PartitionName
    ) throws(JournalFault) {
        let decision = trade.decision
        let deadline = Deadline(
            moment: trade.time.advanced(bySeconds: 300), monotonic: MonotonicTime(microseconds: 0), bootID: "seeded")
        let accepted = try transaction.accept(
            Arrival(
                decision: decision, message: trade.message, sender: "127.0.0.1", receivedAt: trade.time,
                deadline: deadline))
        guard let row = accepted else { preconditionFailure("every seeded decision has an id of its own") }
        let execution = Execution(
            id: trade.executionID, clientOrderID: decision.clientOrderID,
            submittedAt: trade.time.advanced(byMilliseconds: 1))
        let request = Payload(
            .request, method: "POST", endpoint: OrderRequest.path, body: OrderRequest.body(for: decision))
        let executionRow = try transaction.begin(execution, of: row, request: request)
        var open = OpenExecution(
            decisionRow: row, row: executionRow, decision: decision, execution: execution)
        let answeredAt = trade.time.advanced(byMilliseconds: 20)
        switch trade.ending {
        case .filled(let body): try answer(&open, 200, body, in: transaction, partition, at: answeredAt)
        case .rejected(let statusCode, let body):
            try answer(&open, statusCode, body, in: transaction, partition, at: answeredAt)
        case .acceptedThenFilled(let accepted, let filled):
            try answer(&open, 200, accepted, in: transaction, partition, at: answeredAt)
            try follow(&open, filled, in: transaction, partition, at: trade.time.advanced(byMilliseconds: 900))
        }
    }

    /// The answer to the POST.
    private static func answer(
        _ open: inout OpenExecution, _ statusCode: Int, _ body: [UInt8], in transaction: borrowing JournalTransaction,
        _ partition: PartitionName, at time: Timestamp
    ) throws(JournalFault) {
        let answer = HTTPAnswer(statusCode: statusCode, body: body)
        let result = AttemptResult(.answered(answer), clientOrderID: open.execution.clientOrderID)
        open.execution.end(result, httpStatusCode: statusCode, terms: open.decision.order, at: time)
        let response = Payload(
            .response, method: "POST", endpoint: OrderRequest.path, statusCode: statusCode, body: body,
            headers: answer.headers)
        let payload = try transaction.keep(response, of: open.decisionRow, at: time)
        if case .taken(let order) = result {
            try transaction.keep(order, of: open.decisionRow, isPlaced: true, at: time)
        }
        try update(open, response: payload, in: transaction, partition, at: time)
    }

    /// A look-up that shows the order in its new state.
    private static func follow(
        _ open: inout OpenExecution, _ body: [UInt8], in transaction: borrowing JournalTransaction,
        _ partition: PartitionName, at time: Timestamp
    ) throws(JournalFault) {
        guard let order = OrderAnswer.order(body),
            open.execution.observe(order, terms: open.decision.order, at: time)
        else { preconditionFailure("an order that was filled is news") }
        let path = LookUpRequest.order(id: order.id).path
        let request = Payload(.request, method: "GET", endpoint: path, body: [])
        let response = Payload(.response, method: "GET", endpoint: path, statusCode: 200, body: body)
        _ = try transaction.keep(request, of: open.decisionRow, at: time)
        _ = try transaction.keep(response, of: open.decisionRow, at: time)
        try transaction.keep(order, of: open.decisionRow, at: time)
        try update(open, response: nil, in: transaction, partition, at: time)
    }

    private static func update(
        _ open: OpenExecution, response: PayloadRow?, in transaction: borrowing JournalTransaction,
        _ partition: PartitionName, at time: Timestamp
    ) throws(JournalFault) {
        try transaction.update(open, response: response, at: time)
        let outcome = Outcome(DecisionSummary(open.decision), of: open.execution, at: time)
        _ = try transaction.append(outcome, of: open.decisionRow, partition: partition)
    }
}

extension Timestamp {
    fileprivate func advanced(byMilliseconds count: Int64) -> Timestamp {
        Timestamp(nanoseconds: nanoseconds + count * 1_000_000)
    }
}
