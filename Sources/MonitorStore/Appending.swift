import GRDB
package import Monitoring
package import TradingCore

extension MonitorStore {
    /// An outcome that was not stored before.
    package struct Counted: Equatable, Sendable {
        package let outcome: SeenOutcome
        /// What was last heard of its decision; nil for its first outcome.
        package let previous: DecisionState?
        /// Whether it is the first of another database: its partition is counted anew from it on.
        package let beginsAnew: Bool
    }

    /// No more messages of failures are told apart at a partition; the others are counted together.
    package static let failureMessagesMax = 500
    /// What they are counted under.
    package static let otherFailures = "(other messages)"

    /// Stores a batch with all that is counted of it, in one transaction. What is not newer than the last of the same
    /// database changes nothing. With another database the partition's counts begin anew, so that they are those of the
    /// database that the worker has; the outcomes of the one before are kept.
    /// - Returns: What was new, in order.
    package func append(_ outcomes: [SeenOutcome], receivedAt: Timestamp) throws(MonitorStoreFault) -> [Counted] {
        try write { database in
            var counted: [Counted] = []
            var changes = Changes()
            var positions = try Self.positions(in: database)
            for outcome in outcomes {
                let position = positions[outcome.partition]
                let isOfSameStream = position?.stream == outcome.stream
                if isOfSameStream, let position, outcome.seq <= position.seq { continue }
                let beginsAnew = position != nil && !isOfSameStream
                if beginsAnew {
                    // What the batch has counted so far is of the database before, and goes with it.
                    changes.forget(outcome.partition)
                    try Self.forgetCounts(of: outcome.partition, in: database)
                }
                positions[outcome.partition] = StreamPosition(stream: outcome.stream, seq: outcome.seq)
                let id = try Self.insert(outcome, receivedAt, in: database)
                let previous = try Self.advance(outcome, storedAs: id, in: database)
                changes.count(outcome, after: previous)
                if outcome.isFinal, outcome.result == .failed, previous?.isFinal != true {
                    try Self.countFailure(outcome, in: database)
                }
                counted.append(Counted(outcome: outcome, previous: previous, beginsAnew: beginsAnew))
            }
            for (key, change) in changes.tallies { try Self.add(change, to: key, in: database) }
            for (key, change) in changes.minutes { try Self.add(change, to: key, in: database) }
            for partition in Set(counted.map(\.outcome.partition)) {
                guard let position = positions[partition] else { continue }
                try Self.keep(position, of: partition, in: database)
            }
            return counted
        }
    }

    /// A partition's database was restored from an older copy, which tells what it has again from the first. Outcomes that
    /// the copy does not have are kept, under another name of the stream, since their numbers are given out again.
    /// - Parameter last: The last outcome that the copy has.
    package func goBack(
        _ partition: String, to last: StreamPosition, at now: Timestamp
    ) throws(MonitorStoreFault) {
        try write { database in
            try database.execute(
                sql: "UPDATE outcomes SET stream = ? WHERE partition = ? AND stream = ? AND seq > ?",
                arguments: ["\(last.stream) until \(now.text)", partition, last.stream, last.seq])
            try Self.forgetCounts(of: partition, in: database)
            try Self.keep(StreamPosition(stream: last.stream, seq: 0), of: partition, in: database)
        }
    }

    private static func forgetCounts(of partition: String, in database: Database) throws {
        for table in ["tallies", "decisions", "minutes", "failures"] {
            try database.execute(sql: "DELETE FROM \(table) WHERE partition = ?", arguments: [partition])
        }
    }

    private static func keep(_ position: StreamPosition, of partition: String, in database: Database) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO positions (partition, stream, seq) VALUES (?, ?, ?)
                ON CONFLICT (partition) DO UPDATE SET stream = excluded.stream, seq = excluded.seq
                """
        ).execute(arguments: [partition, position.stream, position.seq])
    }

    /// What a batch adds to the counts.
    private struct Changes {
        var tallies: [StrategyKey: StrategyTally] = [:]
        var minutes: [MinuteKey: PeriodTally] = [:]

        mutating func count(_ outcome: SeenOutcome, after previous: DecisionState?) {
            tallies[outcome.owner, default: StrategyTally()].count(outcome, after: previous)
            let minute = MinuteKey(minute: Minute(of: outcome.at), owner: outcome.owner)
            minutes[minute, default: PeriodTally()].count(outcome, after: previous)
        }

        mutating func forget(_ partition: String) {
            tallies = tallies.filter { $0.key.partition != partition }
            minutes = minutes.filter { $0.key.owner.partition != partition }
        }
    }

    private struct MinuteKey: Hashable {
        let minute: Minute
        let owner: StrategyKey
    }

    /// - Returns: Its id; of one that is there already, from before its database went back, the id that it has.
    private static func insert(
        _ outcome: SeenOutcome, _ receivedAt: Timestamp, in database: Database
    ) throws -> Int64 {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO outcomes (partition, stream, seq, strategy_seq, strategy_name, decision_id, symbol, result,
                    status, at, received_at, body)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (partition, stream, seq) DO NOTHING
                """)
        try statement.execute(arguments: [
            outcome.partition, outcome.stream, outcome.seq, outcome.strategySeq, outcome.strategy, outcome.decisionID,
            outcome.symbol, outcome.result.rawValue, outcome.status, outcome.at.text, receivedAt.text, outcome.body,
        ])
        if database.changesCount > 0 { return database.lastInsertedRowID }
        let known = try Int64.fetchOne(
            database.cachedStatement(
                sql: "SELECT id FROM outcomes WHERE partition = ? AND stream = ? AND seq = ?"),
            arguments: [outcome.partition, outcome.stream, outcome.seq])
        guard let known else { preconditionFailure("what conflicts is there") }
        return known
    }

    /// Keeps what is heard of the decision.
    /// - Returns: What was heard before.
    private static func advance(
        _ outcome: SeenOutcome, storedAs id: Int64, in database: Database
    ) throws -> DecisionState? {
        let key: StatementArguments = [outcome.partition, outcome.strategy, outcome.decisionID]
        let statement = try database.cachedStatement(
            sql: """
                SELECT result, final, refused FROM decisions
                WHERE partition = ? AND strategy_name = ? AND decision_id = ?
                """)
        let previous = try Row.fetchOne(statement, arguments: key).flatMap { row in
            OutcomeResult(rawValue: row["result"]).map {
                DecisionState(result: $0, isFinal: row["final"], isRefusal: row["refused"])
            }
        }
        try database.cachedStatement(
            sql: """
                INSERT INTO decisions (partition, strategy_name, decision_id, result, final, refused, last_outcome)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (partition, strategy_name, decision_id) DO UPDATE SET result = excluded.result,
                    final = excluded.final, refused = excluded.refused, last_outcome = excluded.last_outcome
                """
        ).execute(arguments: key + [outcome.result.rawValue, outcome.isFinal, outcome.isRefusal, id])
        return previous
    }

    private static func countFailure(_ outcome: SeenOutcome, in database: Database) throws {
        let status = outcome.httpStatusCode ?? 0
        var message = outcome.failure ?? ""
        let isKnown = try Bool.fetchOne(
            database.cachedStatement(
                sql: "SELECT 1 FROM failures WHERE partition = ? AND message = ? AND http_status_code = ? LIMIT 1"),
            arguments: [outcome.partition, message, status])
        if isKnown == nil {
            let count = try Int.fetchOne(
                database.cachedStatement(sql: "SELECT count(*) FROM failures WHERE partition = ?"),
                arguments: [outcome.partition])
            if count ?? 0 >= failureMessagesMax { message = otherFailures }
        }
        try database.cachedStatement(
            sql: """
                INSERT INTO failures (partition, strategy_name, message, http_status_code, count, last_at,
                    last_decision_id)
                VALUES (?, ?, ?, ?, 1, ?, ?)
                ON CONFLICT DO UPDATE SET count = count + 1, last_at = excluded.last_at,
                    last_decision_id = excluded.last_decision_id
                """
        ).execute(arguments: [
            outcome.partition, outcome.strategy, message, status, outcome.at.text, outcome.decisionID,
        ])
    }

    private static func add(_ change: StrategyTally, to key: StrategyKey, in database: Database) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO tallies (partition, strategy_name, outcomes, pending, unknown, success, partial, failed,
                    refused, last_strategy_seq, last_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET outcomes = outcomes + excluded.outcomes,
                    pending = pending + excluded.pending, unknown = unknown + excluded.unknown,
                    success = success + excluded.success, partial = partial + excluded.partial,
                    failed = failed + excluded.failed, refused = refused + excluded.refused,
                    last_strategy_seq = max(last_strategy_seq, excluded.last_strategy_seq),
                    last_at = max(last_at, excluded.last_at)
                """
        ).execute(arguments: [
            key.partition, key.strategy, change.outcomes, change.pending, change.unknown, change.success,
            change.partial, change.failed, change.refused, change.lastStrategySeq, change.lastAt?.text ?? "",
        ])
    }

    private static func add(_ change: PeriodTally, to key: MinuteKey, in database: Database) throws {
        let owner: StatementArguments = [key.minute.number, key.owner.partition, key.owner.strategy]
        let statement = try database.cachedStatement(
            sql: "SELECT * FROM minutes WHERE minute = ? AND partition = ? AND strategy_name = ?")
        var tally = try Row.fetchOne(statement, arguments: owner).map { try PeriodTally(stored: $0) } ?? PeriodTally()
        tally.add(change)
        try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO minutes (minute, partition, strategy_name, success, partial, failed, refused,
                    unknown, answer, completion)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(
            arguments: owner + [
                tally.success, tally.partial, tally.failed, tally.refused, tally.unknown, tally.answer.text,
                tally.completion.text,
            ])
    }
}

extension PeriodTally {
    /// A row of `minutes`.
    init(stored row: Row) throws {
        self.init()
        success = row["success"]
        partial = row["partial"]
        failed = row["failed"]
        refused = row["refused"]
        unknown = row["unknown"]
        guard let answer = LatencyHistogram(row["answer"] as String),
            let completion = LatencyHistogram(row["completion"] as String)
        else { throw MonitorStoreFault(description: "a row of minutes makes no sense") }
        self.answer = answer
        self.completion = completion
    }
}
