import GRDB
import TradeJournal
package import TradingCore

/// Where a strategy stands that moves between partitions.
extension TradeRecords {
    /// The last step of its last move; nil where it never moved.
    package func lastMove(of strategy: StrategyName) throws -> StrategyMove? {
        try read { database in
            let row = try Row.fetchOne(
                database,
                sql:
                    "SELECT move_id, step, partition FROM strategy_moves WHERE strategy_name = ? ORDER BY id DESC LIMIT 1",
                arguments: [strategy.text])
            guard let row else { return nil }
            guard let step = StrategyMove.Step(rawValue: row["step"]),
                let partition = PartitionName(row["partition"])
            else { preconditionFailure("the schema allows known words only") }
            return StrategyMove(strategy, id: row["move_id"], step: step, partition: partition)
        }
    }

    /// How many of a strategy's decisions wait, and how many attempts are unknown or under way.
    package func unfinished(of strategy: StrategyName) throws -> (waiting: Int, unknown: Int) {
        try read { database in
            let waiting = try Int.fetchOne(
                database, sql: "SELECT count(*) FROM trade_decisions WHERE status = 'pending' AND strategy_name = ?",
                arguments: [strategy.text])
            let unknown = try Int.fetchOne(
                database,
                sql: """
                    SELECT count(*) FROM trade_executions e JOIN trade_decisions d ON d.id = e.trade_decision_id
                    WHERE (e.certainty = 'sending' OR e.certainty = 'unknown') AND d.strategy_name = ?
                    """, arguments: [strategy.text])
            return (waiting ?? 0, unknown ?? 0)
        }
    }

    /// Which database it is.
    package func stream() throws -> String {
        try read { try String.fetchOne($0, sql: "SELECT stream FROM database_identity") ?? "" }
    }

    /// Whether any step of a move was taken here.
    package func knowsMove(_ id: String) throws -> Bool {
        try read { try Row.fetchOne($0, sql: "SELECT 1 FROM strategy_moves WHERE move_id = ?", arguments: [id]) != nil }
    }

    /// Writes all rows of a strategy into a new file, for another worker to take in.
    /// - Parameter handOver: Where the file goes to another machine: what goes with the rows.
    package func export(_ strategy: StrategyName, to path: String, handOver: HandOver? = nil) throws {
        try StrategyExport.write(strategy, of: databasePath, to: path, handOver: handOver)
    }

    /// What goes with the rows in such a file; nil where it holds something else.
    package static func handOver(in path: String) -> HandOver? { StrategyExport.handOver(in: path) }
}
