import Testing
import TradeJournal

@testable import SimulatedDisk

@Suite("A power failure")
struct PowerFailureTests {
    @Test("takes nothing that was committed, whenever it comes", arguments: 0..<200)
    func committed(seed: UInt64) throws {
        // Other numbers than the disk's: what happens, not what is lost.
        var random = SeededRandom(seed: ~seed)
        let disk = SimulatedDisk(name: "power-\(seed)", seed: seed)
        var accepted: Set<String> = []
        for life in 0..<3 {
            // The dead are closed only after the next has begun, as it happens in a simulation.
            let trading = try Trading(on: disk)
            if Bool.random(using: &random) {
                disk.schedule(.powerFailure, afterOperations: Int.random(in: 0..<400, using: &random))
            }
            for number in 0..<Int.random(in: 1...40, using: &random) where disk.deathCount == life {
                try trading.accept("d-\(life)-\(number)")
                if Int.random(in: 0..<8, using: &random) == 0 { trading.checkpoint() }
            }
            if disk.deathCount == life { disk.losePower() }
            accepted.formUnion(trading.accepted)

            let found = try Findings(disk.databasePath)
            #expect(found.integrity == ["ok"])
            #expect(found.decisions.isSuperset(of: accepted))
            // One may have been under way.
            #expect(found.decisions.count <= accepted.count + 1)
            accepted = found.decisions
        }
    }

    @Test("spares a database that is being made, or leaves none", arguments: 0..<80)
    func whileMaking(operation: Int) throws {
        let disk = SimulatedDisk(name: "power-while-making-\(operation)", seed: UInt64(operation))
        disk.schedule(.powerFailure, afterOperations: operation)
        do {
            _ = try Trading(on: disk)
        } catch let fault as JournalFault {
            #expect(fault.mayPass)
        }
        if disk.deathCount == 0 { disk.losePower() }
        let next = try Trading(on: disk)
        try next.accept("d-1")
        #expect(next.fault == nil)
        #expect(try Findings(disk.databasePath).integrity == ["ok"])
    }

    @Test("finds out a disk that does not sync")
    func lyingDisk() throws {
        var damaged = 0
        for seed in 0..<UInt64(20) {
            let disk = SimulatedDisk(name: "lying-\(seed)", seed: seed)
            let trading = try Trading(on: disk)
            try trading.accept("d-0")
            disk.honoursSyncs = false
            for number in 1...20 { try trading.accept("d-\(number)") }
            disk.losePower()
            do {
                let found = try Findings(disk.databasePath)
                if found.decisions != trading.accepted || found.integrity != ["ok"] { damaged += 1 }
            } catch {
                damaged += 1
            }
        }
        #expect(damaged > 10)
    }

    @Test("after failed syncs takes nothing that was committed", arguments: 0..<100)
    func failedSyncs(seed: UInt64) throws {
        // Other numbers than the disk's: what happens, not what is lost.
        var random = SeededRandom(seed: ~seed)
        let disk = SimulatedDisk(name: "failed-syncs-\(seed)", seed: seed)
        let trading = try Trading(on: disk)
        var failedCount = 0
        for number in 0..<Int.random(in: 10...60, using: &random) {
            disk.condition = Int.random(in: 0..<4, using: &random) == 0 ? .failingSyncs : .working
            let acceptedBefore = trading.accepted.count
            try trading.accept("d-\(number)")
            if trading.accepted.count == acceptedBefore { failedCount += 1 }
            if Int.random(in: 0..<8, using: &random) == 0 { trading.checkpoint() }
        }
        disk.condition = .working
        disk.losePower()
        let found = try Findings(disk.databasePath)
        #expect(found.integrity == ["ok"])
        #expect(found.decisions.isSuperset(of: trading.accepted))
        // The last that failed may be found all the same; those before it were written over.
        #expect(found.decisions.count <= trading.accepted.count + min(failedCount, 1))
    }

    @Test(
        "takes nothing that was committed after a process died of failed syncs, and another went on", arguments: 0..<50)
    func failedSyncsOfTheProcessBefore(seed: UInt64) throws {
        let disk = SimulatedDisk(name: "failed-syncs-before-\(seed)", seed: seed)
        do {
            // Its log reads well, and is not on the disk.
            let trading = try Trading(on: disk)
            disk.condition = .failingSyncs
            for number in 1...3 { try trading.accept("lost-\(number)") }
            disk.killProcess()
        }
        disk.condition = .working
        let trading = try Trading(on: disk)
        for number in 1...20 { try trading.accept("d-\(number)") }
        disk.losePower()
        let found = try Findings(disk.databasePath)
        #expect(found.integrity == ["ok"])
        #expect(found.decisions.isSuperset(of: trading.accepted))
        #expect(trading.accepted.count == 20)
    }
}
