package import TradingCore

/// An attempt that was begun, whatever came of it; only one that certainly did not leave is none.
package struct BegunExecution: Sendable {
    package let decision: Decision
    package let begunAt: Timestamp
}

/// The question for what was sent lately, in the order in which it was. It finds the newest by an index, and looks at
/// nothing older.
enum BegunExecutions {
    static let sql = """
        SELECT d.message, e.created_at
        FROM trade_executions e INDEXED BY trade_executions_created
        CROSS JOIN trade_decisions d ON d.id = e.trade_decision_id
        WHERE e.created_at >= ? AND e.certainty <> 'not_sent'
        ORDER BY e.created_at
        """
}

extension TradeJournal {
    /// Tells of every attempt begun at a moment or after it.
    package func attempts(
        begunSince moment: Timestamp, _ tell: (BegunExecution) -> Void
    ) throws(JournalFault) {
        let select = statements.begunSince
        try select.bind(moment.text)
        try select.rows { (row) throws(JournalFault) in
            tell(BegunExecution(decision: try decision(row.bytes(0)), begunAt: try time(row.requiredText(1))))
        }
    }
}
