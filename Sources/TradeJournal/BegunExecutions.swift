package import TradingCore

/// An attempt that was begun, whatever came of it; only one that certainly did not leave is none.
package struct BegunExecution: Sendable {
    package let decision: Decision
    package let begunAt: Timestamp
}

/// An attempt whose order the broker's positions may not show yet.
package struct UnsettledExecution: Sendable {
    package let decision: Decision
    /// When something was last told of it; nil while it is not known what has come of it.
    package let toldAt: Timestamp?
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

/// The question for the attempts of which something was told lately, or nothing is known. Of outcomes it walks the
/// newest until the first that is older; whatever ends an attempt tells one.
enum UnsettledExecutions {
    static let sql = """
        SELECT d.message, max(o.created_at)
        FROM outcomes o
        CROSS JOIN trade_executions e ON e.trade_decision_id = o.trade_decision_id
        CROSS JOIN trade_decisions d ON d.id = e.trade_decision_id
        WHERE o.seq > coalesce((SELECT seq FROM outcomes WHERE created_at < ? ORDER BY seq DESC LIMIT 1), 0)
            AND e.certainty = 'answered' AND d.status <> 'failed'
        GROUP BY d.id
        UNION ALL
        SELECT d.message, NULL
        FROM trade_executions e INDEXED BY trade_executions_open
        CROSS JOIN trade_decisions d ON d.id = e.trade_decision_id
        WHERE ((e.status = 'submitted' OR e.status = 'accepted') OR (e.certainty = 'sending' OR e.certainty = 'unknown'))
            AND (e.certainty = 'sending' OR e.certainty = 'unknown')
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
    /// Tells of every attempt that is not known to have ended, and of those that have ended with an order and of which
    /// something was told at a moment or after it.
    package func unsettledAttempts(
        toldSince moment: Timestamp, _ tell: (UnsettledExecution) -> Void
    ) throws(JournalFault) {
        let select = statements.unsettled
        try select.bind(moment.text)
        try select.rows { (row) throws(JournalFault) in
            var toldAt: Timestamp?
            if let text = row.text(1) { toldAt = try time(text) }
            tell(UnsettledExecution(decision: try decision(row.bytes(0)), toldAt: toldAt))
        }
    }
}
