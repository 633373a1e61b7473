import GRDB
import TestKit
import Testing

@testable import TradeJournal

@Suite("A log that is written in one piece for each commit")
struct GatheredLogTests {
    private let directory: TemporaryDirectory
    private let writer: DatabaseQueue

    init() throws {
        GatheringFileSystem.install()
        directory = try TemporaryDirectory()
        // Ten pages of cache, so that a transaction does not fit in memory and is read back from the log.
        var configuration = Configuration()
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA cache_size = 10")
        }
        writer = try DatabaseQueue(path: directory.path + "/trades.db", configuration: configuration)
        try writer.write {
            try $0.execute(sql: "CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB)")
        }
    }

    private func insert(_ ids: ClosedRange<Int>, _ database: Database) throws {
        for id in ids {
            try database.execute(
                sql: "INSERT INTO rows VALUES (?, lower(hex(randomblob(16))), randomblob(1000))", arguments: [id])
        }
    }

    private func look<Value>(_ sql: String, _ type: Value.Type) throws -> Value?
    where Value: DatabaseValueConvertible & Sendable {
        let reader = try DatabaseQueue(path: directory.path + "/trades.db")
        return try reader.read { try Value.fetchOne($0, sql: sql) }
    }

    @Test("holds a transaction of many megabytes, also while it is read back within it")
    func large() throws {
        let seenInside = try writer.write { database in
            try insert(1...5000, database)
            try database.execute(sql: "UPDATE rows SET body = randomblob(900) WHERE id % 7 = 0")
            return try Int.fetchOne(database, sql: "SELECT count(*) FROM rows WHERE length(body) = 900")
        }
        #expect(seenInside == 714)
        let seenOutside = try look("SELECT count(*) FROM rows", Int.self)
        #expect(seenOutside == 5000)
        let integrity = try look("PRAGMA integrity_check", String.self)
        #expect(integrity == "ok")
    }

    @Test("holds nothing of a transaction that was taken back")
    func takenBack() throws {
        try writer.write { try insert(1...10, $0) }
        try writer.inDatabase { database in
            try database.inTransaction {
                try insert(11...3000, database)
                return .rollback
            }
        }
        try writer.write { try insert(11...20, $0) }
        let count = try look("SELECT count(*) FROM rows", Int.self)
        #expect(count == 20)
        let integrity = try look("PRAGMA integrity_check", String.self)
        #expect(integrity == "ok")
    }

    @Test("begins anew after it has been copied back, as often as that happens")
    func begunAnew() throws {
        for round in 0..<20 {
            try writer.write { try insert(round * 50 + 1...round * 50 + 50, $0) }
            _ = try writer.writeWithoutTransaction { try $0.checkpoint(round.isMultiple(of: 2) ? .passive : .truncate) }
        }
        let count = try look("SELECT count(*) FROM rows", Int.self)
        #expect(count == 1000)
        let integrity = try look("PRAGMA integrity_check", String.self)
        #expect(integrity == "ok")
    }
}
