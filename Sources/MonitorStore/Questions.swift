import GRDB
package import Monitoring
package import TradingCore

/// An outcome in the store.
package struct StoredOutcome: Equatable, Sendable {
    /// In the order in which they came.
    package let id: Int64
    package let partition: String
    package let receivedAt: String
    /// The JSON as published.
    package let body: String

    fileprivate init(_ row: Row) {
        id = row["id"]
        partition = row["partition"]
        receivedAt = row["received_at"]
        body = row["body"]
    }
}

/// Which outcomes are asked for.
package struct OutcomeFilter: Equatable, Sendable {
    /// Only those that came after this one.
    package var since: Int64?
    /// Only those that came before this one.
    package var before: Int64?
    package var partition: String?
    package var strategy: String?
    package var symbol: String?
    package var result: OutcomeResult?
    /// Part of the decision's id.
    package var decision: String?
    package var limit = 100

    package init() {}
}

/// Some outcomes, the newest first.
package struct OutcomePage: Equatable, Sendable {
    package let outcomes: [StoredOutcome]
    /// The newest of all in the store, whatever was asked for; 0 for none.
    package let last: Int64
    /// To look further into the past, ask for what came before this one; nil where nothing is left.
    package let olderBefore: Int64?
}

/// How often something failed, and where it did so last.
package struct FailureRow: Equatable, Sendable {
    package let message: String
    package let httpStatusCode: Int64?
    package let count: Int64
    /// How many strategies of partitions it has happened to.
    package let strategies: Int64
    package let lastAt: String
    package let lastPartition: String
    package let lastStrategy: String
    package let lastDecisionID: String
}

extension MonitorStore {
    /// So many outcomes are looked at for one answer, however few of them are wanted.
    package static let outcomesScannedMax: Int64 = 100_000

    /// Outcomes in the order in which they came, the newest first.
    package func outcomes(_ filter: OutcomeFilter) throws(MonitorStoreFault) -> OutcomePage {
        try read { database in
            let last = try Int64.fetchOne(database, sql: "SELECT max(id) FROM outcomes") ?? 0
            let first = try Int64.fetchOne(database, sql: "SELECT min(id) FROM outcomes") ?? 0
            let before = min(filter.before ?? last + 1, last + 1)
            let floor = max(filter.since ?? 0, before - 1 - Self.outcomesScannedMax, first - 1)
            var sql = "SELECT id, partition, received_at, body FROM outcomes WHERE id > ? AND id < ?"
            var arguments: StatementArguments = [floor, before]
            for (column, value) in [
                ("partition", filter.partition), ("strategy_name", filter.strategy), ("symbol", filter.symbol),
                ("result", filter.result?.rawValue),
            ] {
                guard let value else { continue }
                // The sign keeps SQLite from an index that would have to be sorted.
                sql += " AND +\(column) = ?"
                arguments += [value]
            }
            if let decision = filter.decision {
                sql += " AND instr(decision_id, ?) > 0"
                arguments += [decision]
            }
            sql += " ORDER BY id DESC LIMIT ?"
            arguments += [filter.limit]
            let found = try Row.fetchAll(database, sql: sql, arguments: arguments).map(StoredOutcome.init)
            let end = found.count == filter.limit ? (found.last?.id ?? floor + 1) : floor + 1
            return OutcomePage(outcomes: found, last: last, olderBefore: end > max(first, 1) ? end : nil)
        }
    }

    /// What is kept of one decision, in sequence; at most the last 200.
    package func story(
        partition: String?, strategy: String, decisionID: String
    ) throws(MonitorStoreFault) -> [StoredOutcome] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, partition, received_at, body FROM outcomes
                    WHERE strategy_name = ? AND decision_id = ? AND partition = coalesce(?, partition)
                    ORDER BY id DESC LIMIT 200
                    """, arguments: [strategy, decisionID, partition]
            ).map(StoredOutcome.init).reversed()
        }
    }

    /// The last outcomes of decisions that have not ended, those that have waited longest first.
    package func openDecisions(
        _ result: OutcomeResult, limit: Int
    ) throws(MonitorStoreFault) -> [StoredOutcome] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT o.id, o.partition, o.received_at, o.body FROM decisions d JOIN outcomes o ON o.id = d.last_outcome
                    WHERE d.final = 0 AND d.result = ? ORDER BY d.last_outcome LIMIT ?
                    """, arguments: [result.rawValue, limit]
            ).map(StoredOutcome.init)
        }
    }

    /// What happened within each stretch of time, oldest first; those without anything are left out.
    /// - Parameter step: The length of a stretch in minutes.
    package func history(
        since: Minute, step: Int64, partition: String?, strategy: String?
    ) throws(MonitorStoreFault) -> [(start: Minute, tally: PeriodTally)] {
        try read { database in
            var periods: [(start: Minute, tally: PeriodTally)] = []
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT * FROM minutes WHERE minute >= ? AND partition = coalesce(?, partition)
                    AND strategy_name = coalesce(?, strategy_name) ORDER BY minute
                    """, arguments: [since.number, partition, strategy])
            while let row = try rows.next() {
                let start = Minute(number: (row["minute"] as Int64) / step * step)
                if periods.last?.start != start { periods.append((start, PeriodTally())) }
                periods[periods.count - 1].tally.add(try PeriodTally(stored: row))
            }
            return periods
        }
    }

    /// What happened to each strategy since a minute.
    package func recent(since: Minute) throws(MonitorStoreFault) -> [StrategyKey: PeriodTally] {
        try read { database in
            var tallies: [StrategyKey: PeriodTally] = [:]
            let rows = try Row.fetchCursor(
                database, sql: "SELECT * FROM minutes WHERE minute >= ?", arguments: [since.number])
            while let row = try rows.next() {
                let key = StrategyKey(partition: row["partition"], strategy: row["strategy_name"])
                tallies[key, default: PeriodTally()].add(try PeriodTally(stored: row))
            }
            return tallies
        }
    }

    /// What has failed most often, since the store began.
    package func failures(
        partition: String?, strategy: String?, limit: Int
    ) throws(MonitorStoreFault) -> [FailureRow] {
        try read { database in
            // Beside a single max(), SQLite takes the other columns from the row that has it.
            try Row.fetchAll(
                database,
                sql: """
                    SELECT message, http_status_code, sum(count) AS count, count(*) AS strategies,
                        max(last_at) AS last_at, partition, strategy_name, last_decision_id
                    FROM failures WHERE partition = coalesce(?, partition)
                    AND strategy_name = coalesce(?, strategy_name)
                    GROUP BY message, http_status_code ORDER BY sum(count) DESC, max(last_at) DESC LIMIT ?
                    """, arguments: [partition, strategy, limit]
            ).map { row in
                let status: Int64 = row["http_status_code"]
                return FailureRow(
                    message: row["message"], httpStatusCode: status == 0 ? nil : status, count: row["count"],
                    strategies: row["strategies"], lastAt: row["last_at"], lastPartition: row["partition"],
                    lastStrategy: row["strategy_name"], lastDecisionID: row["last_decision_id"])
            }
        }
    }
}
