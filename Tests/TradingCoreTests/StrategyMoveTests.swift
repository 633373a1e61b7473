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
            (.kept, .gone, false),
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
