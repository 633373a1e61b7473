import GRDB

/// Every statement on the path of a decision.
struct Statements {
    let begin: PreparedStatement
    let commit: PreparedStatement
    let rollback: PreparedStatement
    let tryOut: PreparedStatement

    let findDecision: PreparedStatement
    let lastSequence: PreparedStatement
    let insertDecision: PreparedStatement
    let insertRefusal: PreparedStatement
    let deleteOldRefusals: PreparedStatement
    let waitingDecisions: PreparedStatement
    let countWaiting: PreparedStatement
    let lastDecision: PreparedStatement

    let insertPayload: PreparedStatement
    let insertExecution: PreparedStatement
    let updateExecution: PreparedStatement
    let startDecision: PreparedStatement
    let noteRefusal: PreparedStatement
    let endDecision: PreparedStatement
    let noteOutcome: PreparedStatement
    /// What has ended stays as it is: only an older look-up could say otherwise.
    let upsertOrder: PreparedStatement
    let order: PreparedStatement
    let openExecutions: PreparedStatement
    let begunSince: PreparedStatement
    let unsettled: PreparedStatement

    let insertOutcome: PreparedStatement
    let outcome: PreparedStatement
    let outcomesAfter: PreparedStatement
    let outcomesOfStrategyAfter: PreparedStatement

    let insertHaltEvent: PreparedStatement
    let lastHaltEvents: PreparedStatement
    let haltHistoryEnd: PreparedStatement

    let insertPartitionMap: PreparedStatement
    let lastPartitionMap: PreparedStatement
    let insertMove: PreparedStatement
    let insertSetting: PreparedStatement
    let settingsInForce: PreparedStatement
    let lastMoves: PreparedStatement
    let move: PreparedStatement
    let waitingOfStrategy: PreparedStatement
    let unfinishedStrategies: PreparedStatement
    let cameFromGone: PreparedStatement
    let lastMapIsOfCopy: PreparedStatement

    init(_ database: Database) throws {
        func prepare(_ sql: String) throws -> PreparedStatement { try PreparedStatement(sql, in: database) }

        begin = try prepare("BEGIN IMMEDIATE")
        commit = try prepare("COMMIT")
        rollback = try prepare("ROLLBACK")

        tryOut = try prepare("UPDATE database_identity SET stream = stream")

        findDecision = try prepare(
            """
            SELECT id, message, last_outcome_seq, accepted_stream, accepted_seq FROM trade_decisions
            WHERE strategy_name = ? AND decision_id = ?
            """)
        lastSequence = try prepare(
            "SELECT max(sequence) FROM trade_decisions WHERE strategy_name = ? AND sequence IS NOT NULL")
        insertDecision = try prepare(
            """
            INSERT INTO trade_decisions (decision_id, strategy_name, symbol, side, quantity, notional, order_type,
                time_in_force, limit_price, stop_price, trail_price, trail_percent, order_class, rationale, expires_at,
                expires_boot_id, expires_monotonic_us, sequence, sender, message, received_at, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (strategy_name, decision_id) DO NOTHING
            """)
        insertRefusal = try prepare(
            "INSERT INTO refused_messages (received_at, sender, code, message, body) VALUES (?, ?, ?, ?, ?)")
        // A few at a time: a table that has become long under an older version is shortened without a pause.
        deleteOldRefusals = try prepare(
            """
            DELETE FROM refused_messages
            WHERE id IN (SELECT id FROM refused_messages WHERE id <= ? ORDER BY id LIMIT 10)
            """)
        waitingDecisions = try prepare(
            """
            SELECT id, message, received_at, expires_at, expires_boot_id, expires_monotonic_us, failure_reason
            FROM trade_decisions WHERE status = 'pending' AND id > ? ORDER BY id LIMIT ?
            """)
        lastDecision = try prepare("SELECT max(id) FROM trade_decisions")
        countWaiting = try prepare("SELECT count(*) FROM trade_decisions WHERE status = 'pending'")

        insertPayload = try prepare(
            """
            INSERT INTO api_payloads (type, method, endpoint, status_code, body, headers, synthetic, trade_decision_id,
                captured_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        insertExecution = try prepare(
            """
            INSERT INTO trade_executions (trade_decision_id, execution_id, client_order_id, status, certainty,
                api_request_payload_id, submitted_at, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        updateExecution = try prepare(
            """
            UPDATE trade_executions SET status = ?, certainty = ?,
                api_response_payload_id = coalesce(?, api_response_payload_id), alpaca_order_id = ?,
                followed_order_id = ?, order_status = ?, order_updated_at = ?, http_status_code = ?, error_message = ?,
                error_details = ?, resolution = ?, broker_knows_id = ?, legs_open = ?, lost_at = ?, lost_boot_id = ?, lost_monotonic_us = ?,
                filled_quantity = ?, filled_before_replacement = ?, filled_avg_price = ?, commission = ?,
                look_ups = ?, filled_at = ?, rejected_at = ?, updated_at = ?
            WHERE id = ?
            """)
        startDecision = try prepare(
            """
            UPDATE trade_decisions SET status = 'executing', failure_reason = NULL, updated_at = ?
            WHERE id = ? AND status = 'pending'
            """)
        noteRefusal = try prepare("UPDATE trade_decisions SET failure_reason = ?, updated_at = ? WHERE id = ?")
        endDecision = try prepare(
            """
            UPDATE trade_decisions SET status = ?, failure_reason = ?, executed_at = ?, failed_at = ?,
                last_outcome_seq = ?, updated_at = ?
            WHERE id = ?
            """)
        noteOutcome = try prepare("UPDATE trade_decisions SET last_outcome_seq = ?, updated_at = ? WHERE id = ?")
        upsertOrder = try prepare(
            """
            INSERT INTO alpaca_orders (trade_decision_id, alpaca_order_id, parent_order_id, replaced_by,
                client_order_id, symbol, side, quantity, notional, status, filled_quantity, filled_avg_price, placed,
                created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (alpaca_order_id) DO UPDATE SET replaced_by = excluded.replaced_by,
                quantity = excluded.quantity, notional = excluded.notional, status = excluded.status,
                filled_quantity = excluded.filled_quantity, filled_avg_price = excluded.filled_avg_price,
                updated_at = excluded.updated_at
            WHERE status <> 'filled' AND status <> 'canceled' AND status <> 'expired' AND status <> 'rejected'
            """)
        order = try prepare("SELECT status, filled_quantity FROM alpaca_orders WHERE alpaca_order_id = ?")
        let openExecution = """
            SELECT d.id, d.message, e.id, e.execution_id, e.status, e.certainty, d.status, d.failure_reason,
                e.alpaca_order_id, e.followed_order_id, e.order_status, e.http_status_code, e.error_message,
                e.error_details, e.filled_quantity, e.filled_avg_price, e.commission, e.submitted_at, e.filled_at,
                e.rejected_at, e.filled_before_replacement, e.order_updated_at, e.look_ups, e.resolution, e.lost_at,
                e.lost_boot_id, e.lost_monotonic_us, e.broker_knows_id, e.legs_open
            FROM trade_decisions d
            """
        openExecutions = try prepare(
            """
            \(openExecution) LEFT JOIN trade_executions e ON e.trade_decision_id = d.id WHERE d.status = 'executing'
            UNION ALL
            \(openExecution) JOIN trade_executions e ON e.trade_decision_id = d.id WHERE d.status = 'pending'
            UNION ALL
            \(openExecution) JOIN trade_executions e ON e.trade_decision_id = d.id
            WHERE d.status IN ('executed', 'failed') AND d.id IN (
                SELECT trade_decision_id FROM trade_executions WHERE certainty = 'sending' OR certainty = 'unknown'
                UNION
                SELECT trade_decision_id FROM trade_executions WHERE legs_open = 1)
            ORDER BY 1
            """)

        begunSince = try prepare(BegunExecutions.sql)
        unsettled = try prepare(UnsettledExecutions.sql)

        insertOutcome = try prepare(
            """
            INSERT INTO outcomes (seq, strategy_seq, strategy_name, trade_decision_id, topic, body, created_at,
                previous_seq)
            VALUES (?, ?, ?, ?4, ?, ?, ?, (SELECT last_outcome_seq FROM trade_decisions WHERE id = ?4))
            """)
        outcome = try prepare("SELECT body FROM outcomes WHERE seq = ?")
        outcomesAfter = try prepare("SELECT body FROM outcomes WHERE seq > ? ORDER BY seq LIMIT ?")
        outcomesOfStrategyAfter = try prepare(
            """
            SELECT body FROM outcomes WHERE strategy_name = ? AND strategy_seq > ? ORDER BY strategy_seq LIMIT ?
            """)

        insertHaltEvent = try prepare(
            """
            INSERT INTO halt_events (at, action, scope, hold, reason, by_whom, noted_at, history_end)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """)
        lastHaltEvents = try prepare(
            """
            SELECT at, action, scope, hold, reason, by_whom FROM halt_events
            WHERE id IN (SELECT max(id) FROM halt_events GROUP BY scope)
            """)
        haltHistoryEnd = try prepare(
            "SELECT history_end FROM halt_events WHERE history_end IS NOT NULL ORDER BY id DESC LIMIT 1")

        insertPartitionMap = try prepare("INSERT INTO partition_maps (epoch, map, taken_at) VALUES (?, ?, ?)")
        lastPartitionMap = try prepare("SELECT map FROM partition_maps ORDER BY epoch DESC LIMIT 1")
        insertMove = try prepare(
            "INSERT INTO strategy_moves (move_id, strategy_name, step, partition, at) VALUES (?, ?, ?, ?, ?)")
        insertSetting = try prepare(
            """
            INSERT INTO settings_in_force (setting, value, taken_at) SELECT ?1, ?2, ?3
            WHERE (SELECT value FROM settings_in_force WHERE setting = ?1 ORDER BY id DESC LIMIT 1) IS NOT ?2
            """)
        settingsInForce = try prepare(
            """
            SELECT setting, value FROM settings_in_force
            WHERE id IN (SELECT max(id) FROM settings_in_force GROUP BY setting) AND value IS NOT NULL
            """)
        lastMoves = try prepare(
            """
            SELECT strategy_name, move_id, step, partition FROM strategy_moves
            WHERE id IN (SELECT max(id) FROM strategy_moves GROUP BY strategy_name)
            """)
        move = try prepare("SELECT 1 FROM strategy_moves WHERE move_id = ? LIMIT 1")
        waitingOfStrategy = try prepare(
            "SELECT 1 FROM trade_decisions WHERE status = 'pending' AND strategy_name = ? LIMIT 1")
        unfinishedStrategies = try prepare(
            "SELECT DISTINCT strategy_name FROM trade_decisions WHERE status = 'pending' OR status = 'executing'")
        cameFromGone = try prepare(
            """
            SELECT 1 FROM strategy_moves WHERE step = 'gone' AND id = (
                SELECT max(id) FROM strategy_moves WHERE strategy_name = ? AND move_id <> ?)
            """)
        lastMapIsOfCopy = try prepare(
            """
            SELECT 1 FROM database_identity d JOIN restorations r ON r.stream = d.stream
            WHERE coalesce((SELECT taken_at FROM partition_maps ORDER BY epoch DESC LIMIT 1), '') <= r.restored_at
            """)
    }
}
