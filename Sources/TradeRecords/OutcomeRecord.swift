package import GRDB

/// A row of `outcomes`.
package struct OutcomeRecord: FetchableRecord, TableRecord, Equatable, Sendable {
    package static let databaseTableName = "outcomes"

    package let seq: Int64
    package let strategySeq: Int64
    package let topic: String
    /// The JSON that was published.
    package let body: String
    package let createdAt: String

    package enum Columns {
        static let seq = Column("seq")
        static let tradeDecisionID = Column("trade_decision_id")
    }

    package init(row: Row) {
        seq = row["seq"]
        strategySeq = row["strategy_seq"]
        topic = row["topic"]
        body = row["body"]
        createdAt = row["created_at"]
    }
}
