import GRDB
package import Monitoring
package import TradingCore

extension MonitorStore {
    /// An outcome that was not stored before.
    package struct Counted: Equatable, Sendable {
        package let outcome: SeenOutcome
        /// What was last heard of its decision; nil for its first outcome.
        package let previous: DecisionState?
    }

    /// No more messages of failures are told apart at a partition; the others are counted together.
    package static let failureMessagesMax = 500
    /// What they are counted under.
    package static let otherFailures = "(other messages)"

    /// Stores a batch with all that is counted of it, in one transaction. What is there already changes nothing.
    /// - Returns: What was new, in order.
    package func append(_ outcomes: [SeenOutcome], receivedAt: Timestamp) throws(MonitorStoreFault) -> [Counted] {
        try write { database in
            var counted: [Counted] = []
            var tallies: [StrategyKey: StrategyTally] = [:]
            var minutes: [MinuteKey: PeriodTally] = [:]
            for outcome in outcomes {
                guard try Self.insert(outcome, receivedAt, in: database) else { continue }
                let previous = try Self.advance(outcome, storedAs: database.lastInsertedRowID, in: database)
                tallies[outcome.owner, default: StrategyTally()].count(outcome, after: previous)
                let minute = MinuteKey(minute: Minute(of: outcome.at), owner: outcome.owner)
                minutes[minute, default: PeriodTally()].count(outcome, after: previous)
                if outcome.isFinal, outcome.result == .failed, previous?.isFinal != true {
                    try Self.countFailure(outcome, in: database)
                }
                counted.append(Counted(outcome: outcome, previous: previous))
            }
            for (key, change) in tallies { try Self.add(change, to: key, in: database) }
            for (key, change) in minutes { try Self.add(change, to: key, in: database) }
            return counted
        }
    }

    private struct MinuteKey: Hashable {
        let minute: Minute
        let owner: StrategyKey
    }

    /// - Returns: False for an outcome that is there already.
    private static func insert(
        _ outcome: SeenOutcome, _ receivedAt: Timestamp, in database: Database
    ) throws -> Bool {
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
        guard database.changesCount > 0 else { return false }
        try database.cachedStatement(
            sql: """
                INSERT INTO positions (partition, stream, seq) VALUES (?, ?, ?)
                ON CONFLICT (partition) DO UPDATE SET stream = excluded.stream, seq = excluded.seq
                """
        ).execute(arguments: [outcome.partition, outcome.stream, outcome.seq])
        return true
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
