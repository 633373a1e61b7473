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

    /// The outcomes of one decision in sequence, from its last one back: each names the one before.
    static func story(endingWith last: Int64?) -> SQLRequest<OutcomeRecord> {
        """
        WITH RECURSIVE story (seq) AS (
            SELECT \(last)
            UNION ALL
            SELECT previous_seq FROM story JOIN outcomes USING (seq) WHERE previous_seq IS NOT NULL
        )
        SELECT outcomes.* FROM story CROSS JOIN outcomes USING (seq) ORDER BY strategy_seq
        """
    }

    package init(row: Row) {
        seq = row["seq"]
        strategySeq = row["strategy_seq"]
        topic = row["topic"]
        body = row["body"]
        createdAt = row["created_at"]
    }
}
