import GRDB
package import TradingCore

/// How often something failed.
package struct FailureCount: Equatable, Sendable {
    package enum Kind: String, Sendable {
        /// The attempt was made, or begun, and the execution is rejected.
        case rejected
        /// The decision was refused by the worker before an attempt began.
        case refused
    }

    package let kind: Kind
    /// The message, the strategy or the symbol; nil for the symbol of multi-leg orders.
    package let subject: String?
    /// Of the broker's answers, where the tally is by message.
    package let httpStatusCode: Int?
    package let count: Int
}

/// What failures are counted by.
package enum FailureSubject: String, CaseIterable, Sendable {
    /// The error message of an execution, the reason of a refused decision.
    case message
    case strategy
    case symbol
}

extension TradeRecords {
    /// Counts what has failed, the most frequent first.
    /// - Parameter since: Only what was attempted or refused at this moment or after it.
    package func failures(by subject: FailureSubject, since: Timestamp?) throws -> [FailureCount] {
        try read { database in
            let rejected = try FailureTally.rejected(by: subject, since: since).fetchAll(database)
            let refused = try FailureTally.refused(by: subject, since: since).fetchAll(database)
            let counts =
                rejected.map { FailureCount(.rejected, $0) } + refused.map { FailureCount(.refused, $0) }
            return counts.sorted { ($1.count, $0.subject ?? "") < ($0.count, $1.subject ?? "") }
        }
    }
}

extension FailureCount {
    fileprivate init(_ kind: Kind, _ row: Row) {
        self.init(kind: kind, subject: row["subject"], httpStatusCode: row["http_status_code"], count: row["count"])
    }
}

/// The SQL of the tally. It walks the index of the failures from end to end, which is short beside the tables, and goes
/// to a table only for what an execution's decision says. SQLite, which keeps no statistics here, would not choose so.
enum FailureTally {
    static func rejected(by subject: FailureSubject, since: Timestamp?) -> SQLRequest<Row> {
        let moment: SQL = since.map { "AND e.created_at >= \($0.text)" } ?? ""
        switch subject {
        case .message:
            return """
                SELECT e.error_message AS subject, e.http_status_code, count(*) AS count
                FROM trade_executions e INDEXED BY trade_executions_failures
                WHERE e.status = 'rejected' \(moment)
                GROUP BY e.error_message, e.http_status_code
                """
        case .strategy, .symbol:
            let column = column(of: subject)
            return """
                SELECT d.\(column) AS subject, NULL AS http_status_code, count(*) AS count
                FROM trade_executions e INDEXED BY trade_executions_failures
                CROSS JOIN trade_decisions d ON d.id = e.trade_decision_id
                WHERE e.status = 'rejected' \(moment)
                GROUP BY d.\(column)
                """
        }
    }

    static func refused(by subject: FailureSubject, since: Timestamp?) -> SQLRequest<Row> {
        let moment: SQL = since.map { "AND d.failed_at >= \($0.text)" } ?? ""
        let column = column(of: subject)
        return """
            SELECT d.\(column) AS subject, NULL AS http_status_code, count(*) AS count
            FROM trade_decisions d INDEXED BY trade_decisions_failed
            WHERE d.status = 'failed' \(moment)
                -- Nearly all that have an execution; passed over at once, from the index alone.
                AND d.id NOT IN (
                    SELECT trade_decision_id FROM trade_executions INDEXED BY trade_executions_failures
                    WHERE status = 'rejected')
                AND NOT EXISTS (SELECT 1 FROM trade_executions e WHERE e.trade_decision_id = d.id)
                -- What is archived had an execution, and is counted where that is.
                AND d.archive_id IS NULL
            GROUP BY d.\(column)
            """
    }

    private static func column(of subject: FailureSubject) -> SQL {
        switch subject {
        case .message: "failure_reason"
        case .strategy: "strategy_name"
        case .symbol: "symbol"
        }
    }
}
