import SimulatedDisk
import Testing
import TradeJournal

@Suite("A backup of a simulated disk")
struct BackupTests {
    @Test("restored, is the history of its day")
    func restored() throws {
        let disk = SimulatedDisk(name: "restored", seed: 1)
        let trading = try Trading(on: disk)
        try trading.accept("d-1")
        let yesterday = disk.snapshot()
        try trading.accept("d-2")
        disk.restore(yesterday)
        try trading.accept("d-3")
        #expect(trading.accepted == ["d-1", "d-2"])

        let next = try Trading(on: disk)
        #expect(next.journal.stream == trading.journal.stream)
        #expect(try Findings(disk.databasePath).decisions == ["d-1"])
        try next.accept("d-4")
        disk.losePower()
        #expect(try Findings(disk.databasePath).decisions == ["d-1", "d-4"])
    }

    @Test("may hold the database alone, as of its last checkpoint")
    func databaseAlone() throws {
        let disk = SimulatedDisk(name: "database-alone", seed: 1)
        let trading = try Trading(on: disk)
        try trading.accept("d-1")
        trading.checkpoint()
        try trading.accept("d-2")
        let database = try #require(disk.content(of: "trades.db"))
        disk.restore(SimulatedDisk.Snapshot(files: ["trades.db": database]))
        #expect(try Findings(disk.databasePath).decisions == ["d-1"])
    }

    @Test("goes to another disk as well")
    func anotherDisk() throws {
        let disk = SimulatedDisk(name: "one", seed: 1)
        let trading = try Trading(on: disk)
        try trading.accept("d-1")
        let other = SimulatedDisk(name: "other", seed: 2)
        other.restore(disk.snapshot())
        try trading.accept("d-2")
        #expect(try Findings(other.databasePath).decisions == ["d-1"])
        #expect(try Findings(disk.databasePath).decisions == ["d-1", "d-2"])
    }
}
