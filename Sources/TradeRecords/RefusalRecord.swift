package import GRDB

/// What is on record of the refusals of one decision.
package struct RefusalRecord: FetchableRecord, Equatable, Sendable {
    /// How many refused messages have named it.
    package let count: Int64
    /// When the last of them came.
    package let receivedAt: String
    /// How it was answered.
    package let code: String
    package let message: String

    package init(row: Row) {
        count = row["count"]
        receivedAt = row["received_at"]
        code = row["code"]
        message = row["message"]
    }
}

extension TradeRecords {
    /// What is on record of messages that were refused and named a decision; nil where there is none. It reads all that
    /// were refused.
    /// - Parameter id: A decision id, or a client order id.
    package func refusals(of id: String) throws -> RefusalRecord? {
        try read { database in
            try RefusalRecord.fetchOne(
                database,
                sql: """
                    SELECT count(*) OVER () AS count, received_at, code, message FROM refused_messages
                    WHERE CASE WHEN typeof(body) = 'text' AND json_valid(body) THEN :id IN (
                        json_extract(body, '$.decision_id'),
                        json_extract(body, '$.strategy_name') || ':' || json_extract(body, '$.decision_id')) END
                    ORDER BY id DESC
                    """, arguments: ["id": id])
        }
    }
}
