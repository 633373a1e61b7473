import Foundation
import GRDB
import SimulatedDisk
import TestKit
import Testing
import TradeJournal

@Suite("A journal on a simulated disk")
struct JournalTests {
    @Test("is made there, with a write-ahead log, and opens only because it is durable")
    func opens() throws {
        let disk = SimulatedDisk(name: "opens", seed: 1)
        let trading = try Trading(on: disk)
        let mode = try DatabaseQueue(path: disk.databasePath).inDatabase {
            try String.fetchOne($0, sql: "PRAGMA journal_mode")
        }
        #expect(mode == "wal")
        #expect(disk.content(of: "trades.db") != nil)
        #expect(disk.content(of: "trades.db-wal") != nil)
        #expect(!FileManager.default.fileExists(atPath: disk.databasePath))
        #expect(trading.fault == nil)
    }

    @Test("syncs every transaction once")
    func syncs() throws {
        let disk = SimulatedDisk(name: "syncs", seed: 1)
        let trading = try Trading(on: disk)
        try trading.accept("d-1")
        let before = disk.syncCount
        for number in 2...11 { try trading.accept("d-\(number)") }
        #expect(disk.syncCount == before + 10)
    }

    @Test("writes the same file that it would write to an ordinary disk")
    func ordinaryFile() throws {
        let disk = SimulatedDisk(name: "ordinary-file", seed: 1)
        let trading = try Trading(on: disk)
        for number in 1...50 { try trading.execute("d-\(number)") }
        let directory = try TemporaryDirectory()
        for (name, bytes) in disk.snapshot().files {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(directory.path)/\(name)"))
        }
        let found = try Findings(directory.path + "/trades.db")
        #expect(found.integrity == ["ok"])
        #expect(found.filled == trading.filled)
    }

    @Test("is read beside, as it was when the reader began")
    func reader() throws {
        let disk = SimulatedDisk(name: "reader", seed: 1)
        let trading = try Trading(on: disk)
        try trading.accept("d-1")
        let count = "SELECT count(*) FROM trade_decisions"
        let queue = try DatabaseQueue(path: disk.databasePath)
        try queue.read { database in
            #expect(try Int.fetchOne(database, sql: count) == 1)
            for number in 2...400 { try trading.execute("d-\(number)") }
            trading.checkpoint()
            #expect(try Int.fetchOne(database, sql: count) == 1)
        }
        #expect(try queue.read { try Int.fetchOne($0, sql: count) } == 400)
        #expect(trading.fault == nil)
    }

    @Test("keeps a second writer out until it is done")
    func secondWriter() throws {
        let disk = SimulatedDisk(name: "second-writer", seed: 1)
        let first = try Trading(on: disk)
        let second = try Trading(on: disk)
        try first.journal.write { (_) throws(JournalFault) in
            let fault = #expect(throws: JournalFault.self) { try second.history.accept("d-1") }
            #expect(fault?.mayPass == true)
        }
        try second.accept("d-2")
        #expect(second.accepted == ["d-2"])
    }

    @Test("leaves only the database when it is closed")
    func close() throws {
        let disk = SimulatedDisk(name: "close", seed: 1)
        do {
            let trading = try Trading(on: disk)
            try trading.accept("d-1")
        }
        #expect(Set(disk.snapshot().files.keys) == ["trades.db"])
        #expect(try Findings(disk.databasePath).decisions == ["d-1"])
    }

    @Test("does not keep others from ordinary files")
    func ordinaryDisk() throws {
        let disk = SimulatedDisk(name: "beside", seed: 1)
        let trading = try Trading(on: disk)
        let directory = try TemporaryDirectory()
        let path = directory.path + "/trades.db"
        do {
            let ordinary = try TradeHistory(path: path, start: "2026-11-22T14:00:00Z")
            disk.condition = .failingWrites
            try ordinary.accept("d-2")
            try trading.accept("d-1")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).count == 3)
        }
        disk.killProcess()
        #expect(trading.accepted == [])
        #expect(try Findings(path).decisions == ["d-2"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["trades.db"])
    }

    @Test("does not see what happens on another disk in another thread", arguments: 0..<4)
    func threads(round: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4 {
                group.addTask {
                    let disk = SimulatedDisk(name: "thread-\(round)-\(number)", seed: UInt64(number))
                    for life in 0..<5 {
                        let trading = try Trading(on: disk)
                        for decision in 0..<20 { try trading.accept("d-\(life)-\(decision)") }
                        #expect(trading.fault == nil)
                        if number % 2 == 0 { disk.killProcess() } else { disk.losePower() }
                        let found = try Findings(disk.databasePath)
                        #expect(found.decisions.count == (life + 1) * 20)
                        #expect(found.integrity == ["ok"])
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("cannot be opened where there is no such disk")
    func noDisk() throws {
        _ = SimulatedDisk(name: "gone", seed: 1)
        #expect(throws: JournalFault.self) { _ = try TradeJournal(path: "/simulated/gone/trades.db") }
    }
}
