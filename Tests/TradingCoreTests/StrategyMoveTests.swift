import Testing
import TradingCore

@Suite("A strategy that moves")
struct StrategyMoveTests {
    private static let names = (strategy: StrategyName("s"), partition: PartitionName("p1"))

    private func last(_ step: StrategyMove.Step?, id: String = "0123456789abcdef") throws -> StrategyMove? {
        guard let step else { return nil }
        return StrategyMove(
            try #require(Self.names.strategy), id: id, step: step, partition: try #require(Self.names.partition))
    }

    private func request(_ action: MoveRequest.Action) throws -> MoveRequest {
        MoveRequest(
            action, try #require(Self.names.strategy), id: "0123456789abcdef",
            partition: try #require(Self.names.partition))
    }

    @Test("takes no step twice, however often it is asked for")
    func once() throws {
        #expect(try request(.release).step(after: nil, isKnown: false) == .draining)
        for step in [StrategyMove.Step.draining, .released, .gone] {
            #expect(try request(.release).step(after: last(step), isKnown: true) == nil)
        }
        #expect(try request(.import).step(after: last(.gone, id: "another"), isKnown: false) == .imported)
        for step in [StrategyMove.Step.imported, .opened] {
            #expect(try request(.import).step(after: last(step), isKnown: true) == nil)
        }
    }

    @Test("is not begun anew by what was asked for a move that is over")
    func over() throws {
        let later = try last(.opened, id: "another")
        for action in MoveRequest.Action.allCases {
            #expect(try request(action).step(after: later, isKnown: true) == nil, "\(action)")
        }
    }

    @Test("can be abandoned until it is gone, and never after")
    func abandoned() throws {
        for step in [StrategyMove.Step.draining, .released] {
            #expect(try request(.keep).step(after: last(step), isKnown: true) == .kept)
        }
        #expect(try request(.keep).step(after: last(.gone), isKnown: true) == nil)
        #expect(try request(.drop).step(after: last(.imported), isKnown: true) == .gone)
        #expect(try request(.drop).step(after: last(.opened), isKnown: true) == nil)
        // Abandoned before it began here: it is never to begin.
        #expect(try request(.keep).step(after: nil, isKnown: false) == .kept)
        for step in [nil, StrategyMove.Step.kept, .opened] {
            #expect(try request(.drop).step(after: last(step, id: "another"), isKnown: false) == .kept)
        }
        #expect(try request(.drop).step(after: last(.gone, id: "another"), isKnown: false) == .gone)
    }

    @Test("is served with less than another worker knows on an operator's word only, and can be moved on")
    func taken() throws {
        #expect(try request(.take).step(after: last(.gone, id: "another"), isKnown: false) == .opened)
        #expect(try request(.release).step(after: last(.gone, id: "another"), isKnown: false) == .draining)
        for step in StrategyMove.Step.allCases where step != .gone {
            #expect(try request(.take).step(after: last(step, id: "another"), isKnown: false) == nil, "\(step)")
        }
        #expect(try request(.take).step(after: nil, isKnown: false) == nil)
        #expect(try request(.take).step(after: last(.gone), isKnown: true) == nil)
    }

    @Test("that was handed over to another machine stays away, unless that machine has refused it")
    func handedOver() throws {
        #expect(try request(.releaseToCarry).step(after: nil, isKnown: false) == .draining)
        #expect(try request(.releaseToCarry).step(after: last(.released), isKnown: true) == nil)
        #expect(try request(.handOver).step(after: nil, isKnown: false) == nil)
        #expect(try request(.handOver).step(after: last(.draining), isKnown: true) == nil)
        #expect(try request(.handOver).step(after: last(.released), isKnown: true) == .handedOver)
        #expect(try request(.handOver).step(after: last(.released, id: "another"), isKnown: true) == nil)
        #expect(StrategyMove.Step.handedOver.isClosed && !StrategyMove.Step.handedOver.takesDecisions)
        for action in MoveRequest.Action.allCases where action != .takeBack {
            #expect(try request(action).step(after: last(.handedOver), isKnown: true) == nil, "\(action)")
            // But it comes back by another move.
            let next = try request(action).step(after: last(.handedOver, id: "another"), isKnown: false)
            #expect(next == (action == .import ? .imported : nil), "\(action)")
        }
        #expect(try request(.takeBack).step(after: last(.handedOver), isKnown: true) == .kept)
        #expect(try request(.takeBack).step(after: last(.handedOver, id: "another"), isKnown: true) == nil)
        for step in StrategyMove.Step.allCases where step != .handedOver {
            #expect(try request(.takeBack).step(after: last(step), isKnown: true) == nil, "\(step)")
        }
    }

    @Test("is handed over with what says which move it is, read as it was written or not at all")
    func handOver() throws {
        let (strategy, p1) = (try #require(Self.names.strategy), try #require(Self.names.partition))
        let p0 = try #require(PartitionName("p0"))
        let places = [
            p0: PartitionMap.Place(intake: "tcp://h:1", outcomes: "tcp://h:2"),
            p1: PartitionMap.Place(intake: "tcp://h:3", outcomes: "tcp://h:4"),
        ]
        for halt in [nil, Halt(.strategy(strategy), hold: true, reason: "why", by: "who")] {
            let handOver = HandOver(
                strategy, id: "0123456789abcdef", from: p0, to: p1, stream: "9f2c6a01d4e8b7c3",
                map: PartitionMap(epoch: 7, default: p0, places: places, strategies: [:]), halt: halt)
            #expect(HandOver(handOver.text) == handOver)
            for text in [
                "", "{}", handOver.text.replacing("\"p1\"", with: "1"), handOver.text.replacing("0123", with: "../x"),
                handOver.text.replacing("\"epoch\":7", with: "\"epoch\":0"),
            ] {
                #expect(HandOver(text) == nil, "\(text)")
            }
        }
    }

    @Test("is not dropped by, nor imported over, what is on its way out")
    func leaving() throws {
        for step in [StrategyMove.Step.draining, .released] {
            #expect(try request(.import).step(after: last(step, id: "another"), isKnown: false) == nil)
        }
        for step in [StrategyMove.Step.draining, .released, .imported] {
            #expect(try request(.drop).step(after: last(step, id: "another"), isKnown: false) == nil)
        }
    }

    @Test("takes decisions and follows orders at one worker at most, at each step of both")
    func oneAtMost() {
        // The steps that both can have at the same time; the map changes hands between the third and the fourth.
        let together: [(old: StrategyMove.Step, new: StrategyMove.Step?, isSwitched: Bool)] = [
            (.draining, .gone, false), (.released, .gone, false), (.released, .imported, false),
            (.released, .imported, true), (.gone, .imported, true), (.released, .opened, true), (.gone, .opened, true),
            (.kept, .gone, false), (.handedOver, nil, false), (.handedOver, .imported, false),
            (.handedOver, .opened, false), (.handedOver, .opened, true),
        ]
        for (old, new, isSwitched) in together {
            let oldTakes = !isSwitched && old.takesDecisions
            let newTakes = isSwitched && new?.takesDecisions ?? true
            #expect(!(oldTakes && newTakes), "\(old), \(String(describing: new))")
            #expect(old.isClosed || new?.isClosed ?? true, "\(old), \(String(describing: new))")
        }
    }

    @Test("is asked for in a file that is read as it was written, or not at all")
    func file() throws {
        let asked = try request(.release)
        #expect(MoveRequest(Array(asked.text.utf8)) == asked)
        for text in [
            "", "{}", asked.text.replacing("release", with: "begin"), asked.text.replacing("0123", with: "../x"),
        ] {
            #expect(MoveRequest(Array(text.utf8)) == nil, "\(text)")
        }
    }
}
