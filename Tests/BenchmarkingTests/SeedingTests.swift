import Benchmarking
import GRDB
import TestKit
import Testing
import TradingCore

@Suite("A seeded database")
struct SeedingTests {
    @Test("has as many executions as asked for, of which 2 in 100 were rejected and 1 was filled later")
    func hasWhatWasAskedFor() throws {
        let directory = try TemporaryDirectory()
        let now = try #require(Timestamp("2026-11-22T14:30:00Z"))
        try SeededDatabase.make(in: directory.path, count: 200, now: now, progress: { _ in })
        #expect(try SeededDatabase.count(in: directory.path) == 200)
        let queue = try DatabaseQueue(path: directory.path + "/trades.db")
        func count(_ sql: String) throws -> Int? {
            try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM " + sql) }
        }
        #expect(try count("trade_executions WHERE status = 'rejected'") == 4)
        #expect(try count("trade_executions WHERE status = 'filled'") == 196)
        #expect(try count("trade_decisions WHERE status IN ('pending', 'executing')") == 0)
        // One each, and a second one for those that were filled later.
        #expect(try count("outcomes") == 202)
        #expect(try count("alpaca_orders") == 196)
    }

    @Test("is not there where there is none")
    func knowsAbsence() throws {
        let directory = try TemporaryDirectory()
        #expect(try SeededDatabase.count(in: directory.path) == nil)
    }
}
