import Foundation
import GRDB
import TestKit
import Testing
import TradeJournal
import TradeRecords
import TradingCore

@Suite("Opening the records")
struct OpeningTests {
    @Test("says that there is no database, and makes none")
    func none() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/trades.db"
        #expect(throws: RecordsFault.noDatabase(path: path)) { _ = try TradeRecords(path: path) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }

    @Test("refuses a database of a newer version, and one that is not filled yet")
    func otherVersions() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/trades.db"
        do {
            let queue = try DatabaseQueue(path: path)
            try queue.write { try $0.execute(sql: "CREATE TABLE t (x)") }
            #expect(throws: RecordsFault.older(path: path)) { _ = try TradeRecords(path: path) }
        }
        try FileManager.default.removeItem(atPath: path)
        _ = try TradeJournal(path: path)
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99: from the future')") }
        #expect(throws: RecordsFault.newer(path: path)) { _ = try TradeRecords(path: path) }
    }

    @Test("says that a file which is no database cannot be read")
    func noDatabase() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/trades.db"
        try Data("a page of something else, long enough to be looked at by SQLite".utf8)
            .write(to: URL(fileURLWithPath: path))
        let fault = #expect(throws: RecordsFault.self) { _ = try TradeRecords(path: path) }
        #expect(fault?.description.contains("cannot be read") == true)
    }

    @Test("works while the database is being written, and after it was closed")
    func besideWriter() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/trades.db"
        do {
            let history = try TradeHistory(path: path, start: "2026-11-22T14:00:00Z")
            let records = try TradeRecords(path: path)
            #expect(try records.counts().pending == 0)
            try history.accept("d-1")
            #expect(try records.counts().pending == 1)
        }
        #expect(try TradeRecords(path: path).counts().pending == 1)
    }

    @Test("counts what waits, what is open, what is unknown and what was not taken")
    func counts() throws {
        let trades = try RecordedTrades.ofEveryKind()
        try trades.history.keepRefusedMessage("{")
        let counts = try trades.records().counts()
        #expect(counts.pending == 1)
        #expect(counts.oldestPendingReceivedAt == "2026-11-22T14:00:10.000000Z")
        #expect(counts.executing == 3)
        #expect(counts.unknown == 1)
        #expect(counts.refusedMessages == 1)
        #expect(counts.lastSeq == 9)
        #expect(counts.lastOutcomeAt == "2026-11-22T14:00:09.000000Z")
        #expect(counts.stream == trades.history.journal.stream)
        #expect(counts.sizeInBytes > 0)
    }

    @Test("tell of each strategy what waits, what is open, what is unknown and what was told last")
    func strategies() throws {
        let trades = try RecordedTrades.ofEveryKind()
        let (counts, strategies) = (try trades.records().counts(), try trades.records().strategies())
        #expect(strategies.map(\.name) == strategies.map(\.name).sorted())
        #expect(strategies.map(\.pending).reduce(0, +) == counts.pending)
        #expect(strategies.map(\.executing).reduce(0, +) == counts.executing)
        #expect(strategies.map(\.unknown).reduce(0, +) == counts.unknown)
        #expect(strategies.map(\.lastStrategySeq).reduce(0, +) == counts.lastSeq)
        #expect(strategies.compactMap(\.lastOutcomeAt).max() == counts.lastOutcomeAt)
        #expect(try RecordedTrades().records().strategies().isEmpty)
    }
}
