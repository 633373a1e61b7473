import GRDB
package import Monitoring
package import TradingCore

/// How much of the past is kept. Totals stay whatever is let go.
package struct Retention: Equatable, Sendable {
    /// Outcomes and minutes older than so many days are let go.
    package let days: Int64
    /// Of a larger store the oldest outcomes are let go. Space is used again; the file does not become smaller.
    package let bytesMax: Int64

    package init(days: Int64, bytesMax: Int64) {
        self.days = days
        self.bytesMax = bytesMax
    }
}

extension MonitorStore {
    /// So many outcomes are let go at a time, so that nothing waits long.
    private static let pruneStep = 2000

    /// Lets go of what is too old or too much, a step of it, but not of what is known of decisions that have not ended.
    /// - Returns: Whether there is more to let go.
    package func prune(_ retention: Retention, at now: Timestamp) throws(MonitorStoreFault) -> Bool {
        let oldest = now.advanced(bySeconds: -retention.days * 86400)
        return try write { database in
            try database.execute(
                sql: "DELETE FROM minutes WHERE minute < ?", arguments: [Minute(of: oldest).number])
            let isLarge = try Self.usedBytes(database) > retention.bytesMax
            // What was last heard of a decision that has not ended is what tells of it. The newest outcome stays, so that its
            // number is never given to another.
            let gone = try Int64.fetchAll(
                database,
                sql: """
                    DELETE FROM outcomes WHERE id IN (
                        SELECT id FROM outcomes WHERE id NOT IN (SELECT last_outcome FROM decisions WHERE final = 0)
                        AND id < (SELECT max(id) FROM outcomes) ORDER BY id LIMIT ?)
                    AND (? OR received_at < ?) RETURNING id
                    """, arguments: [Self.pruneStep, isLarge, oldest.text])
            guard let last = gone.max() else { return false }
            // Of an ended decision nothing more comes, so nothing is counted by it any more.
            try database.execute(
                sql: """
                    DELETE FROM decisions WHERE final = 1 AND last_outcome <= ?
                    AND NOT EXISTS (SELECT 1 FROM outcomes WHERE id = last_outcome)
                    """, arguments: [last])
            return gone.count == Self.pruneStep
        }
    }

    /// How the store is. It counts every outcome, which takes a while in a large store.
    package func condition() throws(MonitorStoreFault) -> MonitoredState.StoreCondition {
        try read { database in
            var condition = MonitoredState.StoreCondition()
            condition.bytes = try Self.usedBytes(database)
            condition.outcomes = try Int64.fetchOne(database, sql: "SELECT count(*) FROM outcomes") ?? 0
            condition.oldestReceivedAt = try String.fetchOne(
                database, sql: "SELECT received_at FROM outcomes ORDER BY id LIMIT 1")
            return condition
        }
    }

    private static func usedBytes(_ database: Database) throws -> Int64 {
        try Int64.fetchOne(
            database,
            sql: """
                SELECT (page_count - freelist_count) * page_size
                FROM pragma_page_count, pragma_freelist_count, pragma_page_size
                """) ?? 0
    }
}
