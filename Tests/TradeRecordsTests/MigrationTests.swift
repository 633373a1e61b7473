import GRDB
import TestKit
import Testing
import TradeRecords

@testable import TradeJournal

@Suite("A database of the version before, brought up to date")
struct MigrationTests {
    /// Two decisions with two outcomes each, one of them rejected; and one that waits.
    private static let rows = """
        INSERT INTO trade_decisions (id, decision_id, strategy_name, order_type, time_in_force, status, expires_at,
            expires_boot_id, expires_monotonic_us, message, last_outcome_seq, received_at, created_at, updated_at)
        VALUES
            (1, 'd-1', 's', 'market', 'day', 'executed', 't', 'b', 0, '{}', 3, 't', 't', 't'),
            (2, 'd-2', 's', 'market', 'day', 'failed', 't', 'b', 0, '{}', 4, 't', 't', 't'),
            (3, 'd-3', 's', 'market', 'day', 'pending', 't', 'b', 0, '{}', NULL, 't', 't', 't');
        INSERT INTO api_payloads (id, type, method, endpoint, body, trade_decision_id, captured_at)
        VALUES
            (1, 'ApiRequest', 'POST', '/v2/orders', '{}', 1, 't'), (2, 'ApiResponse', 'POST', '/v2/orders', '{}', 1, 't'),
            (3, 'ApiRequest', 'GET', '/v2/orders/o-1', '', 1, 't'), (4, 'ApiResponse', 'GET', '/v2/orders/o-1', '{}', 1, 't'),
            (5, 'ApiRequest', 'POST', '/v2/orders', '{}', 2, 't'), (6, 'ApiResponse', 'POST', '/v2/orders', '{}', 2, 't');
        INSERT INTO trade_executions (id, trade_decision_id, execution_id, client_order_id, status, certainty,
            api_request_payload_id, api_response_payload_id, alpaca_order_id, resolution, legs_open, submitted_at,
            created_at, updated_at)
        VALUES
            (1, 1, 'x-1', 's:d-1', 'filled', 'answered', 1, 2, 'o-1', 'found', 1, 't', 't', 't'),
            (2, 2, 'x-2', 's:d-2', 'rejected', 'answered', 5, 6, NULL, NULL, 0, 't', 't', 't');
        INSERT INTO alpaca_orders (trade_decision_id, alpaca_order_id, status, created_at, updated_at)
        VALUES (1, 'o-1', 'filled', 't', 't'), (1, 'leg-1', 'new', 't', 't');
        INSERT INTO outcomes (seq, strategy_seq, strategy_name, trade_decision_id, topic, body, created_at)
        VALUES (1, 1, 's', 1, 't', '{"n":1}', 't'), (2, 2, 's', 2, 't', '{"n":2}', 't'),
            (3, 3, 's', 1, 't', '{"n":3}', 't'), (4, 4, 's', 2, 't', '{"n":4}', 't');
        """

    private func database() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let queue = try DatabaseQueue(path: directory.path + "/trades.db")
        try Schema.migrator.migrate(queue, upTo: "2: how lost attempts were resolved")
        try queue.write { try $0.execute(sql: Self.rows) }
        try queue.close()
        return directory
    }

    @Test("keeps every row, and tells the same story of each decision")
    func story() throws {
        let directory = try database()
        _ = try TradeJournal(path: directory.path + "/trades.db")
        let records = try TradeRecords(path: directory.path + "/trades.db")

        let first = try #require(try records.fullContexts(of: "s:d-1").first)
        #expect(first.execution?.executionID == "x-1")
        #expect(first.execution?.resolution == "found")
        #expect(first.payloads.map(\.id) == [1, 2, 3, 4])
        #expect(first.orders.map(\.alpacaOrderID) == ["o-1", "leg-1"])
        #expect(first.outcomes.map(\.seq) == [1, 3])

        let second = try #require(try records.fullContexts(of: "x-2").first)
        #expect(second.execution?.status == "rejected")
        #expect(second.payloads.map(\.id) == [5, 6])
        #expect(second.outcomes.map(\.seq) == [2, 4])

        let waiting = try #require(try records.fullContexts(of: "d-3").first)
        #expect(waiting.execution == nil)
        #expect(waiting.outcomes.isEmpty)
        #expect(try records.counts().pending == 1)
    }

    @Test("knows where its strategies stand that have moved, and one step more")
    func moves() throws {
        let directory = try database()
        let queue = try DatabaseQueue(path: directory.path + "/trades.db")
        try Schema.migrator.migrate(queue, upTo: "8: what was archived")
        let insert =
            "INSERT INTO strategy_moves (move_id, strategy_name, step, partition, at) VALUES ('m', 's', ?, 'p1', 't')"
        try queue.write { try $0.execute(sql: insert, arguments: ["draining"]) }
        try queue.write { try $0.execute(sql: insert, arguments: ["released"]) }
        try TradeJournal.migrate(queue)
        #expect(throws: DatabaseError.self) { try queue.write { try $0.execute(sql: insert, arguments: ["lost"]) } }
        try queue.write { try $0.execute(sql: insert, arguments: ["handed_over"]) }
        let steps = try queue.read { try String.fetchAll($0, sql: "SELECT id || step FROM strategy_moves ORDER BY id") }
        #expect(steps == ["1draining", "2released", "3handed_over"])
        for statement in ["UPDATE strategy_moves SET step = 'kept'", "DELETE FROM strategy_moves"] {
            #expect(throws: DatabaseError.self) { try queue.write { try $0.execute(sql: statement) } }
        }
    }

    @Test("is sound, and still refuses a status that there is not")
    func sound() throws {
        let directory = try database()
        _ = try TradeJournal(path: directory.path + "/trades.db")
        let queue = try DatabaseQueue(path: directory.path + "/trades.db")
        let (integrity, orphans) = try queue.read { database in
            (
                try String.fetchAll(database, sql: "PRAGMA integrity_check"),
                try Row.fetchAll(database, sql: "PRAGMA foreign_key_check")
            )
        }
        #expect(integrity == ["ok"])
        #expect(orphans.isEmpty)
        for statement in [
            "UPDATE trade_decisions SET status = 'lost'", "UPDATE trade_executions SET status = 'lost'",
            "UPDATE trade_executions SET certainty = 'maybe'", "UPDATE trade_executions SET trade_decision_id = 1",
        ] {
            let error = #expect(throws: DatabaseError.self) {
                try queue.write { try $0.execute(sql: statement) }
            }
            #expect(error?.resultCode == .SQLITE_CONSTRAINT)
        }
    }
}
