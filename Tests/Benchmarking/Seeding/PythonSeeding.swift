import GRDB
import HostSystem

/// The same past for the Python worker, in its own tables.
enum PythonSeeding {
    /// - Parameters:
    ///   - stateDirectory: Of the Python worker; its tables are there.
    ///   - source: The state directory of a seeded trade-executor.
    static func copy(from source: String, to stateDirectory: String) throws {
        let path = StateDirectory.databasePath(in: stateDirectory)
        let queue = try DatabaseQueue(path: path)
        try queue.inDatabase { database in
            // It is a copy: if it is cut short, it is made anew.
            try database.execute(sql: "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF")
            try database.execute(sql: "ATTACH ? AS source", arguments: [StateDirectory.databasePath(in: source)])
            for (table, columns) in tables {
                try database.execute(
                    sql: "INSERT INTO main.\(table) (\(columns)) SELECT \(columns) FROM source.\(table) ORDER BY rowid")
            }
            try database.execute(sql: "DETACH source")
            try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
    }

    /// The tables and those of their columns that both workers have. The executions come last: where they all are, the
    /// copy is whole.
    private static let tables = [
        (
            "trade_decisions",
            """
            id, decision_id, strategy_name, symbol, side, quantity, order_type, time_in_force, rationale, status, \
            executed_at, failed_at, created_at, updated_at
            """
        ),
        ("api_payloads", "id, type, source, method, endpoint, status_code, body, captured_at"),
        (
            "alpaca_orders",
            """
            id, trade_decision_id, alpaca_order_id, client_order_id, symbol, side, quantity, status, \
            filled_quantity, filled_avg_price, created_at, updated_at
            """
        ),
        ("outcomes", "seq, strategy_name, trade_decision_id, topic, body, created_at"),
        (
            "trade_executions",
            """
            id, trade_decision_id, execution_id, client_order_id, status, api_request_payload_id, \
            api_response_payload_id, alpaca_order_id, http_status_code, error_message, filled_quantity, \
            filled_avg_price, submitted_at, filled_at, rejected_at, created_at, updated_at
            """
        ),
    ]
}
