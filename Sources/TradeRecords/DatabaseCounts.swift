import GRDB

/// Where the database stands. All of it comes from indexes, so that asking costs nothing.
package struct DatabaseCounts: Equatable, Sendable {
    /// The random id made with the database.
    package let stream: String
    /// The number of the last decision that was accepted; 0 before the first.
    package let lastDecision: Int64
    /// Decisions that wait.
    package let pending: Int
    /// When the oldest of them was accepted.
    package let oldestPendingReceivedAt: String?
    /// Decisions whose attempt has begun and whose order has not ended.
    package let executing: Int
    /// Executions whose request may have reached the broker without a readable answer.
    package let unknown: Int
    /// Messages that were not taken.
    package let refusedMessages: Int
    /// The last outcome's number; 0 before the first.
    package let lastSeq: Int64
    package let lastOutcomeAt: String?
    /// The size of the database in bytes, without its log.
    package let sizeInBytes: Int64
    /// When it was last restored from a copy; nil where it never was.
    package let restoration: RestorationRecord?
}

extension TradeRecords {
    package func counts() throws -> DatabaseCounts {
        try read { database in
            func value<Value: DatabaseValueConvertible>(_ sql: String) throws -> Value? {
                try Value.fetchOne(database, sql: sql)
            }
            return DatabaseCounts(
                stream: try value("SELECT stream FROM database_identity") ?? "",
                lastDecision: try value("SELECT max(id) FROM trade_decisions") ?? 0,
                pending: try value("SELECT count(*) FROM trade_decisions WHERE status = 'pending'") ?? 0,
                oldestPendingReceivedAt: try value(
                    "SELECT received_at FROM trade_decisions WHERE status = 'pending' ORDER BY id LIMIT 1"),
                executing: try value("SELECT count(*) FROM trade_decisions WHERE status = 'executing'") ?? 0,
                unknown: try ExecutionRecord.all().unknown().fetchCount(database),
                refusedMessages: try value("SELECT count(*) FROM refused_messages") ?? 0,
                lastSeq: try value("SELECT max(seq) FROM outcomes WHERE seq > 0") ?? 0,
                lastOutcomeAt: try value("SELECT created_at FROM outcomes WHERE seq > 0 ORDER BY seq DESC LIMIT 1"),
                sizeInBytes: try (value("PRAGMA page_count") ?? 0) * (value("PRAGMA page_size") ?? 0),
                restoration: try RestorationRecord.last(in: database))
        }
    }
}
