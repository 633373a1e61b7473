import GRDB
import TestKit
import Testing
import TradeJournal
import TradeRecords
import TradingCore

@Suite("A strategy carried over to another database")
struct StrategyImportTests {
    private let directory: TemporaryDirectory
    private let from: TradeHistory
    private let to: TradeHistory

    init() throws {
        directory = try TemporaryDirectory()
        from = try TradeHistory(path: directory.path + "/from.db", start: "2026-11-30T10:00:00Z")
        to = try TradeHistory(path: directory.path + "/to.db", start: "2026-11-30T11:00:00Z")
    }

    private func carryOver(_ name: String = "s", as file: String = "rows") throws {
        let path = "\(directory.path)/\(file).db"
        let strategy = try #require(StrategyName(name))
        try TradeRecords(path: directory.path + "/from.db").export(strategy, to: path)
        let move = StrategyMove(
            strategy, id: "0123456789abcdef", step: .imported, partition: try #require(PartitionName("p0")))
        try to.journal.importStrategy(from: path, move, at: to.now)
    }

    private func rows(_ database: String, _ sql: String) throws -> [String] {
        var configuration = Configuration()
        configuration.readonly = true
        return try DatabaseQueue(path: "\(directory.path)/\(database).db", configuration: configuration).read {
            try Row.fetchAll($0, sql: sql).map { row in row.map { "\($0.1)" }.joined(separator: "|") }
        }
    }

    /// Everything of a strategy, without the numbers that are each database's own.
    private func everything(_ database: String, of strategy: String = "s") throws -> [String] {
        try rows(
            database,
            """
            SELECT d.decision_id, d.status, d.message, d.updated_at, e.execution_id, e.status, e.certainty, q.body, a.body,
                (SELECT group_concat(type || method || body, '+') FROM
                    (SELECT * FROM api_payloads p WHERE p.trade_decision_id = d.id ORDER BY p.id)),
                (SELECT group_concat(alpaca_order_id || status || placed, '+') FROM
                    (SELECT * FROM alpaca_orders o WHERE o.trade_decision_id = d.id ORDER BY o.id)),
                (SELECT group_concat(strategy_seq || body, '+') FROM
                    (SELECT * FROM outcomes o WHERE o.trade_decision_id = d.id ORDER BY o.strategy_seq)),
                (SELECT strategy_seq FROM outcomes o WHERE o.seq = d.last_outcome_seq)
            FROM trade_decisions d LEFT JOIN trade_executions e ON e.trade_decision_id = d.id
            LEFT JOIN api_payloads q ON q.id = e.api_request_payload_id
            LEFT JOIN api_payloads a ON a.id = e.api_response_payload_id
            WHERE d.strategy_name = '\(strategy)' ORDER BY d.id
            """)
    }

    private func order(_ id: String, _ status: String) -> TradeHistory.Ending {
        .order(TradeHistory.order("order-\(id)", client: "s:\(id)", status: status))
    }

    @Test("is there whole, with rows that name each other as before, and nothing else is changed")
    func whole() throws {
        try from.execute("d-1", strategy: "other", ending: order("other", "new"))
        try from.execute("d-1", ending: order("d-1", "new"))
        try from.execute("d-2", ending: .error(status: 403, body: "{\"message\":\"no\"}"))
        try from.refuse("d-3")
        try to.refuse("t-1", strategy: "t")
        let before = try everything("to", of: "t")

        try carryOver()
        #expect(try everything("to") == everything("from"))
        #expect(try everything("to").count == 3)
        #expect(try everything("to", of: "t") == before)
        #expect(try everything("to", of: "other").isEmpty)
        #expect(try rows("to", "PRAGMA foreign_key_check").isEmpty)
        // The database's own sequence goes on from its own outcomes.
        try to.refuse("t-2", strategy: "t")
        #expect(try rows("to", "SELECT seq FROM outcomes WHERE seq > 0 ORDER BY seq") == ["1", "2"])
        // And the strategy's from those that were carried over.
        try to.refuse("d-4")
        let numbers = "SELECT strategy_seq FROM outcomes WHERE strategy_name = 's' ORDER BY strategy_seq"
        #expect(try rows("to", numbers) == ["1", "2", "3", "4"])
        let acknowledged =
            "SELECT accepted_seq, accepted_stream FROM trade_decisions WHERE strategy_name = 's' ORDER BY id"
        let stream = from.journal.stream
        let expected = ["2", "3", "4"].map { "\($0)|\"\(stream)\"" } + ["NULL|NULL"]
        #expect(try rows("to", acknowledged) == expected)
    }

    @Test("that was there before is brought up to date")
    func again() throws {
        try from.execute("d-1", ending: order("d-1", "new"))
        try carryOver()
        try from.refuse("d-2")
        try from.execute("d-3", ending: order("d-3", "filled"))
        try carryOver(as: "more")
        #expect(try everything("to") == everything("from"))
        #expect(try everything("to").count == 3)
        #expect(try rows("to", "SELECT count(*) FROM outcomes WHERE seq > 0") == ["0"])
    }

    @Test("has the worker say, while SQLite is at it, that it lives")
    func busy() throws {
        for number in 0..<200 { try from.refuse("d-\(number)") }
        let path = directory.path + "/rows.db"
        let strategy = try #require(StrategyName("s"))
        try TradeRecords(path: directory.path + "/from.db").export(strategy, to: path)
        let move = StrategyMove(
            strategy, id: "0123456789abcdef", step: .imported, partition: try #require(PartitionName("p0")))
        var times = 0
        try to.journal.importStrategy(from: path, move, at: to.now) { times += 1 }
        #expect(times > 0)
        let told = times
        try to.refuse("t-1", strategy: "t")
        #expect(times == told, "nobody is told when it is over")
    }

    @Test("leaves the other worker's database free to be written meanwhile")
    func exportLocksNothing() throws {
        try from.execute("d-1", ending: order("d-1", "new"))
        let strategy = try #require(StrategyName("s"))
        let writer = try DatabaseQueue(path: directory.path + "/from.db")
        try writer.inDatabase { database in
            // Would wait for 30 s, and fail, if the export wanted to write there too.
            try database.execute(sql: "BEGIN IMMEDIATE")
            try TradeRecords(path: directory.path + "/from.db").export(strategy, to: directory.path + "/rows.db")
            try database.execute(sql: "ROLLBACK")
        }
        #expect(try rows("rows", "SELECT count(*) FROM decisions") == ["1"])
    }

    @Test("is not another one than was asked for")
    func another() throws {
        try from.refuse("d-1")
        let path = directory.path + "/rows.db"
        try TradeRecords(path: directory.path + "/from.db").export(try #require(StrategyName("s")), to: path)
        let move = StrategyMove(
            try #require(StrategyName("t")), id: "0123456789abcdef", step: .imported,
            partition: try #require(PartitionName("p0")))
        #expect(throws: JournalFault.self) { try to.journal.importStrategy(from: path, move, at: to.now) }
        #expect(try everything("to").isEmpty)
        #expect(try to.journal.strategyMoves().isEmpty)
    }

    @Test("that contradicts what is there is refused, and changes nothing")
    func contradiction() throws {
        try from.refuse("d-1")
        try to.refuse("d-2")
        let before = try everything("to")
        #expect(throws: JournalFault.self) { try carryOver() }
        #expect(try everything("to") == before)
        #expect(try to.journal.strategyMoves().isEmpty)
        // It goes on as before.
        try to.refuse("d-3")
        #expect(try everything("to").count == 2)
    }
}
