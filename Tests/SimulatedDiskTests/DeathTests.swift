import GRDB
import Testing
import TradeJournal

@testable import SimulatedDisk

@Suite("A process that is killed")
struct DeathTests {
    @Test("leaves what it has committed")
    func committed() throws {
        let disk = SimulatedDisk(name: "committed", seed: 1)
        let trading = try Trading(on: disk)
        for number in 1...30 { try trading.execute("d-\(number)") }
        disk.killProcess()
        let next = try Trading(on: disk)
        #expect(next.journal.stream == trading.journal.stream)
        #expect(next.journal.lastNumbers.seq == 30)
        #expect(try Findings(disk.databasePath).filled == trading.filled)
    }

    @Test("leaves nothing of a transaction that it had not committed, and none of its locks")
    func uncommitted() throws {
        let disk = SimulatedDisk(name: "uncommitted", seed: 1)
        let queue = try DatabaseQueue(path: disk.databasePath)
        try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA cache_size = 1; CREATE TABLE t (x)")
            try database.beginTransaction(.immediate)
            let writesBefore = disk.writeCount
            // Far more than the cache holds, so that pages are written before the commit.
            for _ in 1...100 { try database.execute(sql: "INSERT INTO t VALUES (randomblob(2000))") }
            #expect(disk.writeCount > writesBefore)
            disk.killProcess()

            let next = try DatabaseQueue(path: disk.databasePath)
            try next.inDatabase { living in
                #expect(try Int.fetchOne(living, sql: "SELECT count(*) FROM t") == 0)
                try living.execute(sql: "INSERT INTO t VALUES (1)")
            }
            let before = disk.snapshot()
            #expect(throws: DatabaseError.self) { try database.commit() }
            if database.isInsideTransaction { try database.rollback() }
            #expect(disk.snapshot() == before)
        }
        let third = try DatabaseQueue(path: disk.databasePath)
        #expect(try third.inDatabase { try Int.fetchOne($0, sql: "SELECT count(*) FROM t") } == 1)
    }

    @Test("changes nothing any more when its connection is used or closed")
    func deadConnection() throws {
        let disk = SimulatedDisk(name: "dead-connection", seed: 1)
        var dead: Trading? = try Trading(on: disk)
        for number in 1...10 { try dead?.accept("d-\(number)") }
        disk.killProcess()

        let living = try Trading(on: disk)
        try living.accept("d-11")
        let before = disk.snapshot()
        try dead?.accept("d-12")
        #expect(dead?.fault?.mayPass == true)
        dead = nil
        #expect(disk.snapshot() == before)

        try living.accept("d-13")
        #expect(living.fault == nil)
        let found = try Findings(disk.databasePath)
        #expect(found.decisions == Set((1...13).filter { $0 != 12 }.map { "d-\($0)" }))
        #expect(found.integrity == ["ok"])
    }

    @Test("leaves the log where it is when its connection is closed, even if nobody else has the database open")
    func deadAlone() throws {
        let disk = SimulatedDisk(name: "dead-alone", seed: 1)
        var dead: Trading? = try Trading(on: disk)
        try dead?.accept("d-1")
        disk.killProcess()
        let before = disk.snapshot()
        dead = nil
        #expect(disk.snapshot() == before)
        #expect(try Findings(disk.databasePath).decisions == ["d-1"])
    }

    @Test("cannot delete or see a file by its path any more, while the living can")
    func deadPath() throws {
        let disk = SimulatedDisk(name: "dead-path", seed: 1)
        let trading = try Trading(on: disk)
        disk.killProcess()
        #expect(trading.fault == nil)
        let before = disk.snapshot()
        #expect(disk.delete("trades.db-wal", in: 0, isDurable: true) == Answer.deletionFailed)
        #expect(disk.hasFile("trades.db", in: 0) == nil)
        #expect(disk.snapshot() == before)
        #expect(disk.hasFile("trades.db", in: 1) == true)
        _ = disk.delete("trades.db-wal", in: 1, isDurable: true)
        #expect(disk.content(of: "trades.db-wal") == nil)
    }

    @Test("can be killed at any operation, and what it was told is stored is there", arguments: 0..<120)
    func anyOperation(operation: Int) throws {
        let disk = SimulatedDisk(name: "any-operation-\(operation)", seed: 1)
        let trading = try Trading(on: disk)
        try trading.execute("d-0")
        disk.schedule(.kill, afterOperations: operation)
        var number = 0
        while disk.deathCount == 0 {
            number += 1
            try trading.execute("d-\(number)")
            if number % 3 == 0 { trading.checkpoint() }
        }
        #expect(trading.fault != nil || number % 3 == 0)
        let found = try Findings(disk.databasePath)
        #expect(found.integrity == ["ok"])
        #expect(found.decisions.isSuperset(of: trading.accepted))
        #expect(found.filled.isSuperset(of: trading.filled))
        #expect(found.filled.count <= trading.filled.count + 1)
        #expect(try Trading(on: disk).journal.countWaiting() <= 1)
    }

    @Test("can be killed at any operation while it makes the database, and the next one makes it", arguments: 0..<60)
    func whileMaking(operation: Int) throws {
        let disk = SimulatedDisk(name: "while-making-\(operation)", seed: 1)
        disk.schedule(.kill, afterOperations: operation)
        do {
            _ = try Trading(on: disk)
        } catch let fault as JournalFault {
            #expect(fault.mayPass)
        }
        let next = try Trading(on: disk)
        try next.accept("d-1")
        #expect(next.fault == nil)
        #expect(try Findings(disk.databasePath).integrity == ["ok"])
    }
}
