import GRDB
import GRDBSQLite
package import TradingCore

/// Carries all that is known of a strategy from one worker's database to another's: in a file of its own, and then in one
/// transaction.
package enum StrategyExport {
    /// Writes a strategy's rows into a new file, as they are at one moment.
    /// - Parameters:
    ///   - database: The path of the database that it leaves. It is only read.
    ///   - path: The file, which must not be there, or empty.
    ///   - handOver: Where the file goes to another machine: what goes with the rows.
    package static func write(
        _ strategy: StrategyName, of database: String, to path: String, handOver: HandOver? = nil
    ) throws(JournalFault) {
        do {
            var configuration = Configuration()
            // A worker that starts or ends holds its database for a moment.
            configuration.busyMode = .timeout(30)
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.inDatabase { export in
                try export.execute(sql: "ATTACH ? AS source", arguments: [database])
                // Deferred, so that the other database is read and never locked: its worker trades on.
                try export.inTransaction(.deferred) {
                    let moved = "(SELECT id FROM source.trade_decisions WHERE strategy_name = '\(strategy)')"
                    try export.execute(
                        sql: """
                            CREATE TABLE decisions AS SELECT d.*,
                                coalesce(d.accepted_stream, (SELECT stream FROM source.database_identity)) AS first_stream,
                                coalesce(d.accepted_seq, d.id) AS first_seq
                            FROM source.trade_decisions d WHERE strategy_name = '\(strategy)';
                            CREATE TABLE payloads AS SELECT p.* FROM source.api_payloads p
                            WHERE trade_decision_id IN \(moved);
                            CREATE TABLE executions AS SELECT e.* FROM source.trade_executions e
                            WHERE trade_decision_id IN \(moved);
                            CREATE TABLE orders AS SELECT o.* FROM source.alpaca_orders o
                            WHERE trade_decision_id IN \(moved);
                            CREATE TABLE outcomes AS SELECT o.* FROM source.outcomes o
                            WHERE strategy_name = '\(strategy)';
                            CREATE TABLE archives AS SELECT a.* FROM source.archives a WHERE id IN (
                                SELECT archive_id FROM source.trade_decisions WHERE strategy_name = '\(strategy)');
                            CREATE UNIQUE INDEX decisions_id ON decisions (id);
                            CREATE UNIQUE INDEX payloads_id ON payloads (id);
                            CREATE UNIQUE INDEX executions_decision ON executions (trade_decision_id);
                            CREATE UNIQUE INDEX outcomes_seq ON outcomes (seq);
                            """)
                    try export.execute(
                        sql: "CREATE TABLE complete AS SELECT ? AS strategy_name, ? AS hand_over",
                        arguments: [strategy.text, handOver?.text])
                    return .commit
                }
                try export.execute(sql: "DETACH source")
            }
            try queue.close()
        } catch {
            throw JournalFault("exporting \(strategy)", error)
        }
    }

    /// What goes with the rows in a file; nil where it holds something else.
    package static func handOver(in path: String) -> HandOver? {
        var configuration = Configuration()
        configuration.readonly = true
        // Any fault means the same: it is no such file.
        guard let queue = try? DatabaseQueue(path: path, configuration: configuration) else { return nil }
        let text = try? queue.read { try String.fetchOne($0, sql: "SELECT hand_over FROM complete") }
        return text.flatMap { HandOver($0) }
    }
}

extension TradeJournal {
    /// Takes in all that another worker knows of a strategy, and with it that it did.
    ///
    /// What is here already, since the strategy was here before, is brought up to date. Decisions come after those of this
    /// database, and keep the place in the order of acceptance that was acknowledged. Outcomes keep their `strategy_seq`
    /// and are as they were published; they are no part of this database's own sequence, and have a `seq` below zero.
    ///
    /// What is archived stays in its file, and `archives` says here too which that is.
    /// - Parameters:
    ///   - path: A file that `StrategyExport` has written.
    ///   - whileBusy: Called many times a second meanwhile.
    package func importStrategy(
        from path: String, _ move: StrategyMove, at time: Timestamp, whileBusy: @escaping () -> Void = {}
    ) throws(JournalFault) {
        try execute("ATTACH '\(path.replacing("'", with: "''"))' AS moved")
        do throws(JournalFault) {
            try write { (transaction) throws(JournalFault) in
                try self.whileBusy(whileBusy) { () throws(JournalFault) in
                    try execute(StrategyImport.sql)
                    try checkImport(of: move.strategy)
                }
                try transaction.keep(move, at: time)
                try readCounter(of: move.strategy)
            }
        } catch {
            try leaveImport()
            throw error
        }
        try leaveImport()
    }

    private func leaveImport() throws(JournalFault) {
        try execute(StrategyImport.cleanUp + "DETACH moved;")
    }

    /// The counts that must be 0.
    private func checkImport(of strategy: StrategyName) throws(JournalFault) {
        guard try integer("SELECT strategy_name = '\(strategy)' FROM moved.complete") == 1 else {
            throw JournalFault("importing a strategy", message: "the file is of another strategy")
        }
        for (problem, sql) in StrategyImport.checks where try integer(sql) != 0 {
            throw JournalFault("importing a strategy", message: problem)
        }
    }

}

/// The SQL of an import. Ids are given anew; temporary tables say which row is which.
private enum StrategyImport {
    static let cleanUp = """
        DROP TABLE IF EXISTS temp.moved_decisions;
        DROP TABLE IF EXISTS temp.moved_payloads;
        DROP TABLE IF EXISTS temp.moved_outcomes;

        """

    /// What must be 0, and what it means where it is not.
    static let checks = [
        ("the file is not complete", "SELECT (SELECT count(*) FROM moved.complete) <> 1"),
        (
            "this database knows decisions of the strategy that the other does not, or with other content",
            """
            SELECT count(*) FROM trade_decisions d
            WHERE strategy_name = (SELECT strategy_name FROM moved.complete) AND NOT EXISTS (
                SELECT 1 FROM temp.moved_decisions i JOIN moved.decisions m ON m.id = i.old
                WHERE i.new = d.id AND m.message = d.message)
            """
        ),
        (
            "this database knows outcomes of the strategy that the other does not, or others",
            """
            SELECT count(*) FROM outcomes o
            WHERE strategy_name = (SELECT strategy_name FROM moved.complete) AND NOT EXISTS (
                SELECT 1 FROM temp.moved_outcomes i JOIN moved.outcomes m ON m.seq = i.old
                WHERE i.new = o.seq AND m.strategy_seq = o.strategy_seq AND m.body = o.body)
            """
        ),
        (
            "the other worker has archived what is open here; move the strategy to a worker that never had it",
            """
            SELECT count(*) FROM temp.moved_decisions i JOIN moved.decisions m ON m.id = i.old
            JOIN trade_executions e ON e.trade_decision_id = i.new
            WHERE m.archive_id IS NOT NULL AND (i.has_changed OR e.legs_open = 1)
            """
        ),
        (
            "the counters of its outcomes have gaps",
            """
            SELECT count(*) <> coalesce(max(strategy_seq), 0) FROM outcomes
            WHERE strategy_name = (SELECT strategy_name FROM moved.complete)
            """
        ),
    ]

    /// The columns of an execution that change.
    private static let executionState = [
        "status", "certainty", "alpaca_order_id", "followed_order_id", "order_status", "order_updated_at",
        "http_status_code", "error_message", "error_details", "resolution", "broker_knows_id", "legs_open", "lost_at",
        "lost_boot_id", "lost_monotonic_us", "filled_quantity", "filled_before_replacement", "filled_avg_price",
        "commission", "look_ups", "submitted_at", "filled_at", "rejected_at", "updated_at",
    ]
    private static let decisionColumns = [
        "decision_id", "strategy_name", "symbol", "side", "quantity", "notional", "order_type", "time_in_force",
        "limit_price", "stop_price", "trail_price", "trail_percent", "order_class", "rationale", "status",
        "failure_reason", "expires_at", "expires_boot_id", "expires_monotonic_us", "sequence", "sender", "message",
        "received_at", "executed_at", "failed_at", "created_at", "updated_at",
    ]
    private static let payloadColumns = [
        "type", "source", "method", "endpoint", "status_code", "body", "headers", "synthetic", "captured_at",
    ]
    private static let orderState = [
        "parent_order_id", "replaced_by", "client_order_id", "symbol", "side", "quantity", "notional", "status",
        "filled_quantity", "filled_avg_price", "updated_at",
    ]

    static var sql: String {
        let executionState = Self.executionState.joined(separator: ", ")
        let decisions = decisionColumns.joined(separator: ", ")
        let payloads = payloadColumns.joined(separator: ", ")
        let orders = orderState.joined(separator: ", ")
        let archives = "archived_at, by_whom, ended_before, file, file_sha256, executions"
        return cleanUp + """
            -- Which decision is which here. What is here already has so many look-ups and parts of its attempt.
            CREATE TEMP TABLE moved_decisions AS
            SELECT m.id AS old, d.id AS new, d.id IS NULL AS is_new, d.archive_id IS NOT NULL AS is_archived,
                d.updated_at <> m.updated_at OR d.status <> m.status AS has_changed,
                (SELECT count(*) FROM api_payloads p WHERE p.trade_decision_id = d.id AND p.method = 'GET') AS look_ups,
                (SELECT 1 + (e.api_response_payload_id IS NOT NULL) FROM trade_executions e
                    WHERE e.trade_decision_id = d.id) AS parts
            FROM moved.decisions m
            LEFT JOIN trade_decisions d ON d.strategy_name = m.strategy_name AND d.decision_id = m.decision_id;
            CREATE UNIQUE INDEX temp.moved_decisions_old ON moved_decisions (old);
            UPDATE temp.moved_decisions SET new = numbered.id FROM (
                SELECT old AS of, (SELECT coalesce(max(id), 0) FROM trade_decisions) + row_number() OVER (ORDER BY old) AS id
                FROM temp.moved_decisions WHERE is_new) AS numbered
            WHERE old = numbered.of;
            CREATE UNIQUE INDEX temp.moved_decisions_new ON moved_decisions (new);

            CREATE TEMP TABLE moved_payloads AS
            SELECT id AS old, new AS decision,
                (SELECT coalesce(max(id), 0) FROM api_payloads) + row_number() OVER (ORDER BY id) AS new
            FROM (
                SELECT p.id, i.new, p.method = 'GET' AS is_look_up, i.look_ups, i.parts,
                    row_number() OVER (PARTITION BY p.trade_decision_id, p.method = 'GET' ORDER BY p.id) AS number
                FROM moved.payloads p JOIN temp.moved_decisions i ON i.old = p.trade_decision_id
                WHERE NOT i.is_archived)
            WHERE number > CASE WHEN is_look_up THEN look_ups ELSE coalesce(parts, 0) END;
            CREATE UNIQUE INDEX temp.moved_payloads_old ON moved_payloads (old);

            CREATE TEMP TABLE moved_outcomes AS
            SELECT m.seq AS old, o.seq AS new, m.strategy_seq AS number, o.seq IS NULL AS is_new
            FROM moved.outcomes m
            LEFT JOIN outcomes o ON o.strategy_name = m.strategy_name AND o.strategy_seq = m.strategy_seq;
            CREATE UNIQUE INDEX temp.moved_outcomes_old ON moved_outcomes (old);
            UPDATE temp.moved_outcomes SET new = numbered.seq FROM (
                SELECT old AS of, (SELECT min(0, coalesce(min(seq), 0)) FROM outcomes)
                    - row_number() OVER (ORDER BY number DESC) AS seq
                FROM temp.moved_outcomes WHERE is_new) AS numbered
            WHERE old = numbered.of;
            CREATE UNIQUE INDEX temp.moved_outcomes_new ON moved_outcomes (new);

            INSERT INTO archives (\(archives))
            SELECT \(archives) FROM moved.archives m WHERE NOT EXISTS (
                SELECT 1 FROM archives a WHERE a.file = m.file AND a.file_sha256 = m.file_sha256) ORDER BY m.id;

            INSERT INTO trade_decisions (id, \(decisions), last_outcome_seq, accepted_stream, accepted_seq, archive_id)
            SELECT i.new, \(decisions), (SELECT new FROM temp.moved_outcomes WHERE old = m.last_outcome_seq),
                m.first_stream, m.first_seq,
                (SELECT max(a.id) FROM moved.archives f
                    JOIN archives a ON a.file = f.file AND a.file_sha256 = f.file_sha256 WHERE f.id = m.archive_id)
            FROM moved.decisions m JOIN temp.moved_decisions i ON i.old = m.id WHERE i.is_new ORDER BY i.new;
            UPDATE trade_decisions SET status = m.status, failure_reason = m.failure_reason,
                executed_at = m.executed_at, failed_at = m.failed_at, updated_at = m.updated_at,
                last_outcome_seq = (SELECT new FROM temp.moved_outcomes WHERE old = m.last_outcome_seq)
            FROM temp.moved_decisions i JOIN moved.decisions m ON m.id = i.old
            WHERE NOT i.is_new AND trade_decisions.id = i.new
                AND (trade_decisions.updated_at <> m.updated_at OR trade_decisions.status <> m.status);

            INSERT INTO api_payloads (id, trade_decision_id, \(payloads))
            SELECT i.new, i.decision, \(payloads)
            FROM temp.moved_payloads i JOIN moved.payloads p ON p.id = i.old ORDER BY i.new;

            INSERT INTO trade_executions (trade_decision_id, execution_id, client_order_id, attempt_number, created_at,
                api_request_payload_id, api_response_payload_id, \(executionState))
            SELECT i.new, m.execution_id, m.client_order_id, m.attempt_number, m.created_at,
                (SELECT new FROM temp.moved_payloads WHERE old = m.api_request_payload_id),
                (SELECT new FROM temp.moved_payloads WHERE old = m.api_response_payload_id),
                \(Self.executionState.map { "m." + $0 }.joined(separator: ", "))
            FROM moved.executions m JOIN temp.moved_decisions i ON i.old = m.trade_decision_id
            WHERE i.parts IS NULL AND NOT i.is_archived ORDER BY m.id;
            UPDATE trade_executions SET
                api_response_payload_id = coalesce(trade_executions.api_response_payload_id,
                    (SELECT new FROM temp.moved_payloads WHERE old = m.api_response_payload_id)),
                \(Self.executionState.map { "\($0) = m.\($0)" }.joined(separator: ", "))
            FROM temp.moved_decisions i JOIN moved.executions m ON m.trade_decision_id = i.old
            WHERE i.parts IS NOT NULL AND trade_executions.trade_decision_id = i.new
                AND (trade_executions.updated_at <> m.updated_at OR trade_executions.look_ups <> m.look_ups
                    OR trade_executions.certainty <> m.certainty);

            INSERT INTO alpaca_orders (trade_decision_id, alpaca_order_id, created_at, placed, \(orders))
            SELECT i.new, m.alpaca_order_id, m.created_at, m.placed,
                \(orderState.map { "m." + $0 }.joined(separator: ", "))
            FROM moved.orders m JOIN temp.moved_decisions i ON i.old = m.trade_decision_id
            WHERE NOT i.is_archived ORDER BY m.id
            ON CONFLICT (alpaca_order_id) DO UPDATE SET
                \(orderState.map { "\($0) = excluded.\($0)" }.joined(separator: ", "));

            INSERT INTO outcomes (seq, strategy_seq, strategy_name, trade_decision_id, topic, body, created_at,
                previous_seq)
            SELECT i.new, m.strategy_seq, m.strategy_name, d.new, m.topic, m.body, m.created_at,
                (SELECT new FROM temp.moved_outcomes WHERE old = m.previous_seq)
            FROM temp.moved_outcomes i JOIN moved.outcomes m ON m.seq = i.old
            JOIN temp.moved_decisions d ON d.old = m.trade_decision_id
            WHERE i.is_new ORDER BY i.new;

            """
    }
}
