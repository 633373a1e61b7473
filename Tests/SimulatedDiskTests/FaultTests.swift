import GRDB
import TestKit
import Testing
import TradeJournal
import TradingCore

@testable import SimulatedDisk

@Suite("A disk in trouble")
struct FaultTests {
    @Test(
        "makes writing fail with a fault that may pass, and when it has passed, writing goes on",
        arguments: [
            SimulatedDisk.Condition.full, .readOnly, .failingWrites, .failingSyncs,
        ])
    func passes(condition: SimulatedDisk.Condition) throws {
        let disk = SimulatedDisk(name: "passes-\(condition)", seed: 1)
        let trading = try Trading(on: disk)
        try trading.execute("d-1")
        disk.condition = condition
        try trading.accept("d-2")
        try trading.accept("d-3")
        #expect(trading.fault?.mayPass == true)
        #expect(trading.journal.lastNumbers.seq == 1)
        #expect(try trading.journal.countWaiting() == 0)
        disk.condition = .working
        try trading.accept("d-4")
        #expect(trading.accepted == ["d-1", "d-4"])
        #expect(try Findings(disk.databasePath).decisions == ["d-1", "d-4"])
        #expect(try Findings(disk.databasePath).integrity == ["ok"])
    }

    @Test(
        "may fail in the midst of a transaction, which is then undone",
        arguments: [
            SimulatedDisk.Condition.full, .readOnly, .failingWrites, .failingSyncs, .failingReads,
        ])
    func midst(condition: SimulatedDisk.Condition) throws {
        let disk = SimulatedDisk(name: "midst-\(condition)", seed: 1)
        do {
            let trading = try Trading(on: disk)
            for number in 1...200 { try trading.execute("d-\(number)") }
        }
        // Opened anew, it has read next to nothing yet.
        let trading = try Trading(on: disk)
        let now = trading.history.now
        let body = [UInt8](repeating: 65, count: 4096)
        let fault = #expect(throws: JournalFault.self) {
            try trading.journal.write { (transaction) throws(JournalFault) in
                try transaction.refuse(Refusal(.badJSON, "first"), body: body, sender: nil, at: now)
                disk.condition = condition
                // More than SQLite holds in memory before the commit.
                for _ in 0..<3000 {
                    try transaction.refuse(Refusal(.badJSON, "more"), body: body, sender: nil, at: now)
                }
                _ = try transaction.outcomeBody(seq: 100)
            }
        }
        #expect(fault?.mayPass == true)
        disk.condition = .working
        try trading.accept("d-last")
        #expect(trading.fault == nil)
        let found = try Findings(disk.databasePath)
        #expect(found.integrity == ["ok"])
        #expect(found.decisions.count == 201)
        let kept = try DatabaseQueue(path: disk.databasePath).read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM refused_messages")
        }
        #expect(kept == 0)
    }

    @Test(
        "makes checkpoints fail with a fault that may pass", arguments: [SimulatedDisk.Condition.full, .failingSyncs])
    func checkpoints(condition: SimulatedDisk.Condition) throws {
        let disk = SimulatedDisk(name: "checkpoints-\(condition)", seed: 1)
        let trading = try Trading(on: disk)
        for number in 1...10 { try trading.accept("d-\(number)") }
        disk.condition = condition
        let fault = #expect(throws: JournalFault.self) { try trading.journal.checkpoint() }
        #expect(fault?.mayPass == true)
        disk.condition = .working
        try trading.journal.checkpoint()
        disk.losePower()
        #expect(try Findings(disk.databasePath).decisions == trading.accepted)
    }

    @Test("whose sync failed holds the transaction all the same, until another is written over it")
    func failedButThere() throws {
        for writesAnother in [false, true] {
            let disk = SimulatedDisk(name: "failed-but-there-\(writesAnother)", seed: 1)
            let trading = try Trading(on: disk)
            try trading.accept("d-1")
            disk.condition = .failingSyncs
            try trading.accept("d-2")
            #expect(try Findings(disk.databasePath).decisions == ["d-1"])
            disk.condition = .working
            if writesAnother { try trading.accept("d-3") }
            disk.killProcess()
            #expect(trading.accepted == (writesAnother ? ["d-1", "d-3"] : ["d-1"]))
            #expect(try Findings(disk.databasePath).decisions == (writesAnother ? ["d-1", "d-3"] : ["d-1", "d-2"]))
        }
    }

    @Test("that cannot be read makes reading fail, and writing what must be read first")
    func unreadable() throws {
        let disk = SimulatedDisk(name: "unreadable", seed: 1)
        do {
            let trading = try Trading(on: disk)
            for number in 1...400 { try trading.accept("d-\(number)") }
        }
        let trading = try Trading(on: disk)
        disk.condition = .failingReads
        let fault = #expect(throws: JournalFault.self) {
            _ = try trading.journal.waitingDecisions(after: nil, limit: 400, lastFromBefore: nil)
        }
        #expect(fault?.mayPass == true)
        try trading.accept("d-401")
        #expect(trading.fault?.mayPass == true)
        disk.condition = .working
        try trading.accept("d-402")
        #expect(trading.accepted == ["d-402"])
        #expect(try trading.journal.countWaiting() == 401)
    }

    @Test("has no room beyond its capacity, and takes what is written when there is more")
    func capacity() throws {
        let disk = SimulatedDisk(name: "capacity", seed: 1)
        let trading = try Trading(on: disk)
        disk.capacity = disk.size + 100_000
        var number = 0
        while trading.fault == nil {
            number += 1
            try trading.accept("d-\(number)")
        }
        #expect(number > 1)
        #expect(trading.fault?.mayPass == true)
        #expect(disk.size <= disk.capacity ?? 0)
        let acceptedBefore = trading.accepted
        #expect(try Findings(disk.databasePath).decisions == acceptedBefore)

        disk.capacity = disk.size + 1_000_000
        try trading.accept("d-last")
        #expect(trading.accepted == acceptedBefore.union(["d-last"]))
        disk.losePower()
        let found = try Findings(disk.databasePath)
        #expect(found.decisions == trading.accepted)
        #expect(found.integrity == ["ok"])
    }

    @Test(
        "that can only be read when it is opened is refused, since SQLite would never write it again",
        arguments: [true, false])
    func readOnly(wasKilled: Bool) throws {
        let disk = SimulatedDisk(name: "read-only-\(wasKilled)", seed: 1)
        do {
            let trading = try Trading(on: disk)
            try trading.accept("d-1")
            if wasKilled { disk.killProcess() }
        }
        disk.condition = .readOnly
        let fault = #expect(throws: JournalFault.self) { _ = try Trading(on: disk) }
        #expect(fault?.mayPass == true)
        disk.condition = .working
        let trading = try Trading(on: disk)
        try trading.accept("d-3")
        #expect(trading.accepted == ["d-3"])
        #expect(try Findings(disk.databasePath).decisions == ["d-1", "d-3"])
    }

    @Test("fails whatever is tried, in any order, and breaks nothing", arguments: 0..<100)
    func anyOrder(seed: UInt64) throws {
        var random = SeededRandom(seed: ~seed)
        let disk = SimulatedDisk(name: "any-order-\(seed)", seed: seed)
        let trading = try Trading(on: disk)
        let conditions: [SimulatedDisk.Condition] = [
            .working, .full, .readOnly, .failingWrites, .failingSyncs, .failingReads,
        ]
        for number in 0..<60 {
            disk.condition = conditions.randomElement(using: &random) ?? .working
            try trading.execute("d-\(number)")
            if number % 7 == 0 { trading.checkpoint() }
        }
        disk.condition = .working
        try trading.execute("d-last")
        #expect(trading.filled.contains("d-last"))
        let found = try Findings(disk.databasePath)
        #expect(found.integrity == ["ok"])
        #expect(found.filled == trading.filled)
        #expect(trading.journal.lastNumbers.seq == Int64(trading.filled.count))
    }
}
