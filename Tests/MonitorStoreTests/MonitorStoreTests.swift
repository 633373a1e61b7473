import GRDB
import MonitorStore
import Monitoring
import StrictJSON
import TestKit
import Testing
import TradingCore

@Suite("The monitor's store")
struct MonitorStoreTests {
    private let directory: TemporaryDirectory
    private let now = Timestamp("2026-11-22T15:00:00Z")!

    init() throws { directory = try TemporaryDirectory() }

    private func open() throws -> MonitorStore { try MonitorStore(path: directory.path + "/monitor.db") }

    private func outcome(
        _ decision: String, seq: Int64, strategy: String = "s", partition: String = "p0", result: String = "success",
        status: String? = "filled", reason: String? = nil, at: String = "2026-11-22T14:30:00.020000Z",
        stream: String = "9f2c"
    ) -> SeenOutcome {
        let execution: JSONValue =
            status.map { ["status": .string($0), "submitted_at": "2026-11-22T14:30:00Z"] } ?? .null
        return SeenOutcome(
            [
                "type": "outcome", "seq": .number("\(seq)"),
                "strategy_seq": .number("\(seq)"),
                "decision_id": .string(decision), "strategy_name": .string(strategy), "symbol": "AAPL",
                "result": .string(result), "final": .bool(result != "pending" && result != "unknown"),
                "reason": reason.map { .string($0) } ?? .null, "execution": execution, "at": .string(at),
            ], partition: partition, stream: stream)!
    }

    @Test("has after a restart what it had before, and takes nothing twice")
    func restart() throws {
        let story = [
            outcome("d-1", seq: 1, result: "pending", status: "submitted"), outcome("d-1", seq: 2),
            outcome("d-2", seq: 3, result: "failed", status: nil, reason: "halted"),
        ]
        let tallies: [StrategyKey: StrategyTally]
        do {
            let store = try open()
            #expect(try store.append(story, receivedAt: now).count == 3)
            tallies = try store.tallies()
        }
        let store = try open()
        #expect(try store.append(story, receivedAt: now) == [])
        #expect(try store.tallies() == tallies)
        let tally = try #require(tallies[StrategyKey(partition: "p0", strategy: "s")])
        #expect(tally.outcomes == 3 && tally.success == 1 && tally.failed == 1 && tally.refused == 1)
        #expect(tally.pending == 0)
        #expect(try store.positions() == ["p0": StreamPosition(stream: "9f2c", seq: 3)])
    }

    @Test("tells what was last heard of a decision, within a batch and over batches")
    func previous() throws {
        let store = try open()
        let first = try store.append(
            [
                outcome("d-1", seq: 1, result: "unknown", status: "submitted"),
                outcome("d-1", seq: 2, result: "pending", status: "submitted"),
            ], receivedAt: now)
        #expect(first.map(\.previous?.result) == [nil, .unknown])
        #expect(try store.openDecisions(.pending, limit: 9).count == 1)
        #expect(try store.append([outcome("d-1", seq: 3)], receivedAt: now).map(\.previous?.result) == [.pending])
        #expect(try store.openDecisions(.pending, limit: 9).isEmpty)
        #expect(try store.story(partition: nil, strategy: "s", decisionID: "d-1").count == 3)
    }

    @Test("finds outcomes by what they are of, page after page, and only new ones")
    func pages() throws {
        let store = try open()
        let all = (1...50).map { outcome("d-\($0)", seq: $0, strategy: $0 % 2 == 0 ? "even" : "odd") }
        _ = try store.append(all, receivedAt: now)
        var filter = OutcomeFilter()
        filter.strategy = "even"
        filter.limit = 10
        var found: [Int64] = []
        while true {
            let page = try store.outcomes(filter)
            found += page.outcomes.map(\.id)
            guard let before = page.olderBefore else { break }
            filter.before = before
        }
        #expect(found == (1...25).map { 52 - 2 * Int64($0) })
        var new = OutcomeFilter()
        new.since = 48
        #expect(try store.outcomes(new).outcomes.map(\.id) == [50, 49])
        var named = OutcomeFilter()
        named.decision = "d-4"
        #expect(try store.outcomes(named).outcomes.count == 11)
    }

    @Test("adds up minutes to stretches of time, of all or of one strategy")
    func history() throws {
        let store = try open()
        _ = try store.append(
            [
                outcome("d-1", seq: 1, at: "2026-11-22T14:30:01Z"),
                outcome("d-2", seq: 2, strategy: "t", at: "2026-11-22T14:31:59Z"),
                outcome("d-3", seq: 3, result: "failed", status: "rejected", at: "2026-11-22T14:45:00Z"),
            ], receivedAt: now)
        let first = Minute(of: Timestamp("2026-11-22T14:30:00Z")!)
        let all = try store.history(since: first, step: 10, partition: nil, strategy: nil)
        #expect(all.map(\.tally.success) == [2, 0] && all.map(\.tally.failed) == [0, 1])
        #expect(all[0].tally.answer.count == 2)
        let one = try store.history(since: first, step: 10, partition: "p0", strategy: "t")
        #expect(one.map(\.tally.success) == [1])
        #expect(try store.recent(since: first).count == 2)
    }

    @Test("counts failures by message, and those beyond five hundred messages together")
    func failures() throws {
        let store = try open()
        let distinct = (1...520).map {
            outcome("d-\($0)", seq: $0, result: "failed", status: "rejected", reason: "message \($0)")
        }
        let same = (521...530).map {
            outcome(
                "d-\($0)", seq: $0, strategy: "t", result: "failed", status: "rejected", reason: "message 7",
                at: "2026-11-22T14:31:00Z")
        }
        _ = try store.append(distinct + same, receivedAt: now)
        let rows = try store.failures(partition: nil, strategy: nil, limit: 1000)
        #expect(rows.count == 501)
        #expect(rows[0].message == MonitorStore.otherFailures && rows[0].count == 20)
        let seventh = rows[1]
        #expect(seventh.message == "message 7" && seventh.count == 11 && seventh.strategies == 2)
        #expect(seventh.lastStrategy == "t" && seventh.lastDecisionID == "d-530")
        #expect(try store.failures(partition: nil, strategy: "t", limit: 9).map(\.count) == [10])
    }

    @Test("lets go of what is old or too much, and keeps the totals and what is open")
    func retention() throws {
        let store = try open()
        _ = try store.append(
            [outcome("open", seq: 1, result: "unknown", status: "submitted")]
                + (2...3000).map { outcome("d-\($0)", seq: $0) }, receivedAt: now)
        let before = try store.tallies()
        let later = now.advanced(bySeconds: 2 * 86400)
        #expect(try !store.prune(Retention(days: 3, bytesMax: 1 << 30), at: later))
        #expect(try store.condition().outcomes == 3000)
        #expect(try store.prune(Retention(days: 1, bytesMax: 1 << 30), at: later))
        #expect(try store.condition().outcomes == 1000)
        #expect(try !store.prune(Retention(days: 30, bytesMax: 1), at: now))
        // The last word of what is open, and the newest.
        #expect(try store.condition().outcomes == 2)
        #expect(try store.openDecisions(.unknown, limit: 9).map(\.id) == [1])
        #expect(try store.tallies() == before)
        #expect(try store.positions()["p0"]?.seq == 3000)
        let end = try store.append([outcome("open", seq: 3001)], receivedAt: later)
        #expect(end.map(\.previous?.result) == [.unknown])
        // Its end leaves nothing that must be kept.
        #expect(try !store.prune(Retention(days: 30, bytesMax: 1), at: later))
        #expect(try store.outcomes(OutcomeFilter()).outcomes.map(\.id) == [3001])
    }

    @Test("counts another database from its first outcome, and keeps what the one before has told")
    func newStream() throws {
        let store = try open()
        _ = try store.append(
            [outcome("d-1", seq: 1), outcome("d-2", seq: 2), outcome("d-1", seq: 3, partition: "p1")], receivedAt: now)
        let new = try store.append(
            [
                outcome("d-2", seq: 1, result: "pending", status: "submitted", stream: "new"),
                outcome("d-2", seq: 2, stream: "new"),
            ], receivedAt: now)
        #expect(new.map(\.beginsAnew) == [true, false] && new.map(\.previous) == [nil, DecisionState(new[0].outcome)])
        let tallies = try store.tallies()
        #expect(tallies[StrategyKey(partition: "p0", strategy: "s")]?.outcomes == 2)
        #expect(tallies[StrategyKey(partition: "p0", strategy: "s")]?.success == 1)
        #expect(tallies[StrategyKey(partition: "p1", strategy: "s")]?.success == 1)
        #expect(try store.outcomes(OutcomeFilter()).outcomes.count == 5)
    }

    @Test("takes numbers again that an older copy of a database gives out anew")
    func wentBack() throws {
        let store = try open()
        _ = try store.append((1...5).map { outcome("d-\($0)", seq: $0) }, receivedAt: now)
        try store.goBack("p0", to: StreamPosition(stream: "9f2c", seq: 3), at: now)
        #expect(try store.positions() == ["p0": StreamPosition(stream: "9f2c", seq: 0)])
        let again = (1...3).map { outcome("d-\($0)", seq: $0) } + [outcome("other", seq: 4)]
        #expect(try store.append(again, receivedAt: now).count == 4)
        #expect(try store.tallies()[StrategyKey(partition: "p0", strategy: "s")]?.success == 4)
        // Those of before that are not in the copy, those that are, and the new one.
        #expect(try store.outcomes(OutcomeFilter()).outcomes.count == 6)
        #expect(try store.story(partition: "p0", strategy: "s", decisionID: "d-5").count == 1)
    }

    @Test("keeps what a number stood for before, also when nothing told that it is given out again")
    func takenNumber() throws {
        let store = try open()
        for (stream, decision) in [("one", "d-1"), ("two", "d-2"), ("one", "d-3")] {
            _ = try store.append([outcome(decision, seq: 1, stream: stream)], receivedAt: now)
        }
        #expect(try store.outcomes(OutcomeFilter()).outcomes.count == 3)
        #expect(try store.tallies()[StrategyKey(partition: "p0", strategy: "s")]?.success == 1)
    }

    @Test("keeps apart what a number stands for before and after its database went back unnoticed and went on")
    func wentBackAndOn() throws {
        let store = try open()
        _ = try store.append((1...7).map { outcome("d-\($0)", seq: $0) }, receivedAt: now)
        // The copy ended with 3; when it was noticed, 4 and 5 had been given out again.
        try store.goBack("p0", to: StreamPosition(stream: "9f2c", seq: 5), at: now)
        let again =
            (1...3).map { outcome("d-\($0)", seq: $0) }
            + (4...5).map { outcome("new-\($0)", seq: $0, result: "failed", status: "rejected") }
        _ = try store.append(again, receivedAt: now.advanced(bySeconds: 1))
        let tally = try store.tallies()[StrategyKey(partition: "p0", strategy: "s")]
        #expect(tally?.success == 3 && tally?.failed == 2)
        for decision in ["d-4", "d-5", "d-7", "new-4", "new-5", "d-1"] {
            #expect(try store.story(partition: "p0", strategy: "s", decisionID: decision).count == 1)
        }
    }

    @Test("of a newer version is left alone")
    func newer() throws {
        let path = directory.path + "/monitor.db"
        do { _ = try open() }
        try DatabaseQueue(path: path).inDatabase { try $0.execute(sql: "PRAGMA user_version = 99") }
        #expect(throws: MonitorStoreFault.self) { try open() }
    }
}
