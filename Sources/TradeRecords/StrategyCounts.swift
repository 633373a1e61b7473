import GRDB

/// Where one strategy stands.
package struct StrategyCounts: Equatable, Sendable {
    package let name: String
    /// Decisions that wait.
    package let pending: Int
    /// Decisions whose attempt has begun and whose order has not ended.
    package let executing: Int
    /// Executions whose request may have reached the broker without a readable answer.
    package let unknown: Int
    /// The last outcome's number among the strategy's; 0 before the first.
    package let lastStrategySeq: Int64
    package let lastOutcomeAt: String?
}

extension TradeRecords {
    /// Every strategy that has an outcome or a decision on its way, by name. It reads what waits, and of the rest no more
    /// than a few rows for each strategy.
    package func strategies() throws -> [StrategyCounts] {
        try read { database in
            try Row.fetchAll(database, sql: TradeRecords.strategiesQuery).map { row in
                StrategyCounts(
                    name: row["name"], pending: row["pending"], executing: row["executing"], unknown: row["unknown"],
                    lastStrategySeq: row["last_strategy_seq"] ?? 0, lastOutcomeAt: row["last_outcome_at"])
            }
        }
    }

    /// Steps from one strategy's outcomes to the next strategy's in their index, instead of walking all of it.
    static let strategiesQuery = """
        WITH RECURSIVE told (name) AS (
            SELECT min(strategy_name) FROM outcomes
            UNION ALL
            SELECT (SELECT min(strategy_name) FROM outcomes WHERE strategy_name > told.name) FROM told
            WHERE told.name IS NOT NULL
        ),
        open AS (
            SELECT strategy_name AS name, sum(status = 'pending') AS pending, sum(status = 'executing') AS executing
            FROM trade_decisions WHERE status = 'pending' OR status = 'executing' GROUP BY strategy_name
        ),
        lost AS (
            SELECT strategy_name AS name, count(*) AS unknown
            FROM trade_executions JOIN trade_decisions ON trade_decisions.id = trade_decision_id
            WHERE certainty = 'unknown' GROUP BY strategy_name
        ),
        names AS (SELECT name FROM told WHERE name IS NOT NULL UNION SELECT name FROM open)
        SELECT names.name AS name, coalesce(open.pending, 0) AS pending, coalesce(open.executing, 0) AS executing,
            coalesce(lost.unknown, 0) AS unknown,
            (SELECT max(strategy_seq) FROM outcomes WHERE strategy_name = names.name) AS last_strategy_seq,
            (SELECT created_at FROM outcomes WHERE strategy_name = names.name ORDER BY strategy_seq DESC LIMIT 1)
                AS last_outcome_at
        FROM names LEFT JOIN open ON open.name = names.name LEFT JOIN lost ON lost.name = names.name
        ORDER BY names.name
        """
}
