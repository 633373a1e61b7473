package import GRDB
package import StrictJSON
package import TradingCore

/// Which executions to list, newest first.
package struct ExecutionFilter: Sendable {
    package var scope: ExecutionScope?
    package var status: ExecutionStatus?
    package var symbol: String?
    package var strategy: String?
    package var since: Timestamp?
    /// At most so many; nil for all.
    package var limit: Int?
    /// Whether each comes with what was sent and what was answered.
    package var includesPayloads: Bool

    package init(
        scope: ExecutionScope? = nil, status: ExecutionStatus? = nil, symbol: String? = nil, strategy: String? = nil,
        since: Timestamp? = nil, limit: Int? = nil, includesPayloads: Bool = false
    ) {
        self.scope = scope
        self.status = status
        self.symbol = symbol
        self.strategy = strategy
        self.since = since
        self.limit = limit
        self.includesPayloads = includesPayloads
    }
}

/// An execution with its decision.
package struct ExecutionEntry: FetchableRecord, Equatable, Sendable {
    package let execution: ExecutionRecord
    package let decision: DecisionRecord
    /// Both payloads are nil unless they were asked for.
    package let request: PayloadRecord?
    package let response: PayloadRecord?

    package init(row: Row) throws {
        execution = ExecutionRecord(row: row)
        decision = row["decision"]
        request = row["request_payload"]
        response = row["response_payload"]
    }

    /// Writes one object: the execution's columns, the decision's that have no name in common with them, and the
    /// decision's status as `decision_status`.
    package func write(to writer: inout JSONWriter, withPayloads: Bool) {
        writer.object { writer in
            execution.writeMembers(to: &writer)
            decision.writeTerms(to: &writer)
            writer.member("decision_status", decision.status)
            guard withPayloads else { return }
            writer.key("request_payload")
            if let request { writer.object { request.writeMembers(to: &$0) } } else { writer.null() }
            writer.key("response_payload")
            if let response { writer.object { response.writeMembers(to: &$0) } } else { writer.null() }
        }
    }
}

extension ExecutionFilter {
    /// The request for what is to be listed.
    /// - Parameters:
    ///   - last: The entry after which to go on; nil to begin with the newest.
    ///   - count: At most so many.
    func request(
        after last: ExecutionEntry? = nil, count: Int? = nil, at now: Timestamp
    ) -> QueryInterfaceRequest<ExecutionEntry> {
        let executions = TableAlias<ExecutionRecord>()
        let decisions = TableAlias<DecisionRecord>()
        var request = ExecutionRecord.all().aliased(executions)
        if let scope { request = request.scope(scope, at: now) }
        if let status { request = request.with(status) }
        if let since { request = request.since(since) }
        request = request.including(required: ExecutionRecord.decision.aliased(decisions))
        if includesPayloads {
            request = request.including(optional: ExecutionRecord.request)
                .including(optional: ExecutionRecord.response)
        }

        // SQLite keeps no statistics here, so the query says which index to go by: the one that leaves the fewest rows,
        // in the order in which it gives them, so that nothing much has to be sorted.
        if goesByExecution {
            // The plus sign keeps the indexes of symbols and strategies out of it.
            if let symbol { request = request.filter(sql: "+symbol = ?", arguments: [symbol]) }
            if let strategy { request = request.filter(sql: "+strategy_name = ?", arguments: [strategy]) }
            let (createdAt, id) = (
                executions[ExecutionRecord.Columns.createdAt], executions[ExecutionRecord.Columns.id]
            )
            if let last = last?.execution {
                request = request.filter(literal: "(\(createdAt), \(id)) < (\(last.createdAt), \(last.id))")
            }
            request = request.order(createdAt.desc, id.desc)
        } else {
            if let symbol { request = request.filter(decisions[DecisionRecord.Columns.symbol] == symbol) }
            if let strategy { request = request.filter(decisions[DecisionRecord.Columns.strategyName] == strategy) }
            // The order of acceptance: the order of execution but for decisions that were held back.
            let id = decisions[DecisionRecord.Columns.id]
            if let last = last?.decision { request = request.filter(id < last.id) }
            request = request.order(id.desc)
        }
        if let count { request = request.limit(count) }
        return request.asRequest(of: ExecutionEntry.self)
    }

    /// Whether state and time leave fewer executions than symbol and strategy do: those of a time, and those in a state
    /// that executions soon leave.
    private var goesByExecution: Bool {
        switch (scope, status) {
        case (.pending, _), (.unknown, _), (.recent, _), (_, .submitted), (_, .accepted): true
        default: since != nil || symbol == nil && strategy == nil
        }
    }
}

extension TradeRecords {
    private static let pageSize = 500

    /// Hands over the executions that a filter lets through one after the other, newest first.
    ///
    /// They are read in pages, and nothing is open while `body` runs: a listing that somebody reads slowly, in a pager
    /// perhaps, must not keep the worker's log from being copied back into the database.
    package func forEachExecution(
        _ filter: ExecutionFilter, at now: Timestamp, _ body: (ExecutionEntry) throws -> Void
    ) throws {
        var left = filter.limit ?? .max
        var last: ExecutionEntry?
        while left > 0 {
            let count = min(left, TradeRecords.pageSize)
            let page = try read { try filter.request(after: last, count: count, at: now).fetchAll($0) }
            for entry in page { try body(entry) }
            guard page.count == count else { return }
            left -= count
            last = page.last
        }
    }

    /// The executions of which it is not known whether they were placed: those that are unknown, and those whose attempt
    /// is under way or was when a worker died. In order of execution.
    package func unsettledExecutions() throws -> [ExecutionRecord] {
        try read {
            try ExecutionRecord.filter(sql: "certainty = 'sending' OR certainty = 'unknown'").order(
                ExecutionRecord.Columns.createdAt
            )
            .fetchAll($0)
        }
    }
}
