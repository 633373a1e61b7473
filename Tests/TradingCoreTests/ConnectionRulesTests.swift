import Testing
import TradingCore

@Suite("A connection of the worker's sockets")
struct ConnectionRulesTests {
    private static let own: Int64 = 30 << 20
    /// The least memory at which it is short with so many connections.
    private static func short(_ connections: Int64) -> Int64 {
        own + ConnectionRules.growthMax + connections * ConnectionRules.connectionBytes + 1
    }

    private func time(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(microseconds: milliseconds * 1000) }

    private func rules(connectionsMax: Int = 500) -> ConnectionRules {
        ConnectionRules(residentBytes: Self.own, connectionsMax: connectionsMax)
    }

    private func publisher(
        _ id: UInt64, read: Int64 = 0, sent: Int64 = 0, unsent: Int64 = 0, taken: Int64 = 0, handed: Int64 = 0
    ) -> ConnectionSight {
        ConnectionSight(
            id: id, socket: .intake, read: read, sent: sent, unsent: unsent, taken: taken, handed: handed)
    }

    @Test("that holds much is let be while memory is not short")
    func plenty() {
        var rules = rules()
        let verdict = rules.judge([publisher(1, read: 60 << 20)], residentBytes: Self.short(1) - 1, at: time(0))
        #expect(verdict == ConnectionVerdict())
    }

    @Test("that holds the most is cut when memory is short, and who holds next to nothing is not, however much it sent")
    func mostIsCut() {
        var rules = rules()
        let sights = [
            publisher(1, read: 1 << 30, taken: 1 << 30), publisher(2, read: 3 << 20), publisher(3, read: 1 << 20),
        ]
        let verdict = rules.judge(sights, residentBytes: Self.short(3), at: time(0))
        #expect(verdict.cuts == [2: .holdsMemory])
        #expect(verdict.closed == [.intake])
        #expect(
            rules.judge([sights[0], sights[2]], residentBytes: Self.short(2), at: time(20)).cuts == [3: .holdsMemory])
        #expect(rules.judge([sights[0]], residentBytes: Self.short(1), at: time(40)).cuts.isEmpty)
    }

    @Test("among many that hold the same is cut together with half of them")
    func halfIsCut() {
        var rules = rules()
        let sights = (0..<400).map { publisher($0, read: 32_000) }
        #expect(rules.judge(sights, residentBytes: Self.short(400), at: time(0)).cuts.count == 200)
    }

    @Test("whose answers nobody reads holds them")
    func unreadAnswers() {
        var rules = rules()
        let sights = [
            publisher(1, read: 5000, sent: 2 << 20, taken: 5000, handed: 2 << 20),
            publisher(2, read: 5000, sent: 1000, unsent: 2000, taken: 5000, handed: 40 << 20),
        ]
        #expect(rules.judge(sights, residentBytes: Self.short(2), at: time(0)).cuts == [2: .holdsMemory])
    }

    @Test("gains no credit by messages that were counted longer than they are")
    func noCredit() {
        var rules = rules()
        _ = rules.judge([publisher(1, read: 1000, taken: 10 << 20)], residentBytes: Self.own, at: time(0))
        let verdict = rules.judge([publisher(1, read: 1000 + 70_000)], residentBytes: Self.short(1), at: time(250))
        #expect(verdict.cuts == [1: .holdsMemory])
    }

    @Test("that takes nothing of what waits for it for half a minute is cut, and comes again at once")
    func readsNothing() {
        var rules = rules()
        for second in 0..<30 {
            let verdict = rules.judge(
                [publisher(1, sent: 500, unsent: 1), publisher(2, sent: Int64(second), unsent: 1)],
                residentBytes: Self.own, at: time(Int64(second) * 1000))
            #expect(verdict == ConnectionVerdict())
        }
        let verdict = rules.judge(
            [publisher(1, sent: 500, unsent: 1), publisher(2, sent: 30, unsent: 1)], residentBytes: Self.own,
            at: time(30_000))
        #expect(verdict.cuts == [1: .readsNothing])
        #expect(verdict.closed.isEmpty)
    }

    @Test("over the number allowed is cut: at the intake who has been silent for longest")
    func tooManyPublishers() {
        var rules = rules(connectionsMax: 4)
        _ = rules.judge(
            (1...4).map { publisher($0, read: 100, taken: 100) }, residentBytes: Self.own, at: time(0))
        _ = rules.judge(
            [publisher(1, read: 200, taken: 100)] + (2...4).map { publisher($0, read: 100) },
            residentBytes: Self.own, at: time(1000))
        // The new one gets the time to deliver.
        let verdict = rules.judge((1...5).map { publisher($0, read: 200) }, residentBytes: Self.own, at: time(2000))
        #expect(verdict.cuts == [4: .tooMany])
        #expect(verdict.closed.isEmpty)
    }

    @Test("that has never delivered is cut before one that has, however silent; of many such the oldest")
    func neverDelivered() {
        var rules = rules(connectionsMax: 4)
        let honest = [publisher(1, read: 100, taken: 100), publisher(2, read: 100, taken: 100)]
        #expect(rules.judge(honest, residentBytes: Self.own, at: time(0)) == ConnectionVerdict())
        let idle = [publisher(1, read: 100), publisher(2, read: 100)]
        // A stranger connects again and again, and says at most what belongs to shaking hands.
        for round in 0..<60 as Range<UInt64> {
            let now = Int64(round) * 1000
            let strangers = (10 + round...12 + round).map { publisher($0, read: 64) }
            let verdict = rules.judge(idle + strangers, residentBytes: Self.own, at: time(now + 1000))
            #expect(verdict.cuts.values.allSatisfy { $0 == .tooMany })
            #expect(Array(verdict.cuts.keys) == [10 + round])
            #expect(verdict.closed.isEmpty)
        }
    }

    @Test("is let in no more while there are more than a quarter too many, until the next look")
    func crowd() {
        var rules = rules(connectionsMax: 4)
        let crowd = (1...7).map { publisher($0) }
        #expect(rules.judge(crowd, residentBytes: Self.own, at: time(0)).closed == [.intake])
        #expect(rules.judge(crowd.suffix(4), residentBytes: Self.own, at: time(2)).closed.isEmpty)
    }

    @Test("over the number allowed is cut: of subscribers the newest")
    func tooManySubscribers() {
        var rules = rules(connectionsMax: 2)
        let sights = (1...3).map { ConnectionSight(id: $0, socket: .outcomes) }
        _ = rules.judge([sights[0]], residentBytes: Self.own, at: time(0))
        _ = rules.judge([sights[0], sights[2]], residentBytes: Self.own, at: time(1000))
        let verdict = rules.judge(sights, residentBytes: Self.own, at: time(2000))
        #expect(verdict.cuts == [2: .tooMany])
        #expect(verdict.closed == [.outcomes])
    }

    @Test("of a subscriber that sends more than subscriptions is cut, and for a while no new one is let in")
    func sendsTooMuch() {
        var rules = rules()
        let allowed = ConnectionRules.subscriptionBytesMax
        let steady = ConnectionSight(id: 1, socket: .outcomes, read: allowed)
        #expect(rules.judge([steady], residentBytes: Self.own, at: time(0)) == ConnectionVerdict())
        let more = ConnectionSight(id: 1, socket: .outcomes, read: allowed + 1)
        let verdict = rules.judge([more], residentBytes: Self.own, at: time(250))
        #expect(verdict.cuts == [1: .sendsTooMuch])
        #expect(verdict.closed == [.outcomes])
        #expect(rules.judge([], residentBytes: Self.own, at: time(10_249)).closed == [.outcomes])
        #expect(rules.judge([], residentBytes: Self.own, at: time(10_250)).closed.isEmpty)
    }

    @Test("may send a little more with every second")
    func growsSlowly() {
        var rules = rules()
        for minute in 0..<600 {
            let bytes = Int64(minute) * 60 * ConnectionRules.subscriptionBytesPerSecond
            let sight = ConnectionSight(id: 1, socket: .outcomes, read: bytes)
            #expect(
                rules.judge([sight], residentBytes: Self.own, at: time(Int64(minute) * 60_000)) == ConnectionVerdict())
        }
    }

    @Test("is let in no more while all subscribers together send too much; those that are there stay")
    func allSubscribers() {
        var rules = rules()
        let sights = (1...5).map { ConnectionSight(id: $0, socket: .outcomes, read: 30_000) }
        let verdict = rules.judge(sights, residentBytes: Self.own, at: time(0))
        #expect(verdict.cuts.isEmpty)
        #expect(verdict.closed == [.outcomes])
    }

    @Test("of a crowd, each with an ordinary message under way, is not cut for the memory that all take together")
    func crowdIsNotCut() {
        var rules = rules()
        let sights = (0..<500).map { publisher($0, read: 900) }
        let verdict = rules.judge(sights, residentBytes: Self.short(500), at: time(0))
        #expect(verdict.cuts.isEmpty)
        #expect(verdict.closed.isEmpty)
    }

    @Test("is blamed for no memory that the worker needs itself")
    func ownMemory() {
        var rules = rules()
        let sights = [publisher(1, read: 60_000)]
        let verdict = rules.judge(sights, residentBytes: Self.short(1), at: time(0))
        #expect(verdict.cuts.isEmpty)
        #expect(verdict.settles)
        rules.settle(residentBytes: Self.short(1))
        #expect(rules.judge(sights, residentBytes: Self.short(1), at: time(250)) == ConnectionVerdict())
        #expect(rules.residentBytesMax - Self.short(1) == ConnectionRules.growthMax / 2)
    }

    @Test("keeps the door closed while what it left behind is in memory, which is not taken for the worker's own")
    func aftermath() {
        var rules = rules()
        _ = rules.judge([publisher(1, read: 64 << 20)], residentBytes: Self.short(1), at: time(0))
        let soon = rules.judge([], residentBytes: Self.short(0), at: time(9000))
        #expect(soon.closed == [.intake])
        #expect(!soon.settles)
        #expect(rules.judge([], residentBytes: Self.own, at: time(9020)).closed.isEmpty)
    }

    @Test("over a path, which the kernel does not count, is judged by what waits")
    func uncounted() {
        var rules = rules()
        let sights = [
            ConnectionSight(id: 1, socket: .intake, isCounted: false, read: 200_000),
            ConnectionSight(id: 2, socket: .intake, isCounted: false, handed: 50 << 20),
        ]
        #expect(rules.judge(sights, residentBytes: Self.short(2), at: time(0)).cuts == [1: .holdsMemory])
    }
}
