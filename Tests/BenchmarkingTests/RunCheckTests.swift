import Benchmarking
import Testing

@Suite("The check of a run")
struct RunCheckTests {
    @Test("passes a run in which everything came once and in order")
    func passesGoodRun() throws {
        #expect(try RunCheck.faults(of: goodRun()).isEmpty)
    }

    @Test("sees a decision that was never acknowledged")
    func seesLostAck() throws {
        var run = goodRun()
        run.acks.remove(at: 2)
        #expect(try RunCheck.faults(of: run) == ["1 never acknowledged, the first: a:d-2"])
    }

    @Test("sees an outcome that never came")
    func seesLostOutcome() throws {
        var run = goodRun()
        run.outcomes.removeLast()
        #expect(try RunCheck.faults(of: run) == ["1 never told of, the first: b:d-5"])
    }

    @Test("sees an outcome that came twice")
    func seesDoubledOutcome() throws {
        var run = goodRun()
        run.outcomes.append(run.outcomes[5])
        #expect(try RunCheck.faults(of: run) == ["1 told of more than once, the first: b:d-5"])
    }

    @Test("sees a decision that was posted twice")
    func seesDoubledPost() throws {
        var run = goodRun()
        run.arrivals.append(run.arrivals[5])
        #expect(try RunCheck.faults(of: run) == ["1 posted more than once, the first: b:d-5"])
    }

    @Test("sees a decision that was never posted")
    func seesLostPost() throws {
        var run = goodRun()
        run.arrivals.remove(at: 0)
        #expect(try RunCheck.faults(of: run) == ["1 never posted, the first: a:d-0"])
    }

    @Test("sees two decisions of one strategy posted in the wrong order")
    func seesReorderedPosts() throws {
        var run = goodRun()
        run.arrivals.swapAt(0, 2)
        #expect(try RunCheck.faults(of: run) == ["posted out of order: a:d-0"])
    }

    @Test("sees two outcomes of one strategy in the wrong order")
    func seesReorderedOutcomes() throws {
        var run = goodRun()
        run.outcomes.swapAt(1, 3)
        #expect(try RunCheck.faults(of: run) == ["told of out of order: b:d-1"])
    }

    @Test("does not mind the order between strategies")
    func allowsOtherOrderBetweenStrategies() throws {
        var run = goodRun()
        run.outcomes.swapAt(0, 1)
        #expect(try RunCheck.faults(of: run).isEmpty)
    }

    @Test("sees an order that nobody decided")
    func seesForeignPost() throws {
        var run = goodRun()
        run.arrivals.append(BrokerArrival(clientOrderID: "c:d-9", arrivedAt: 0, answeredAt: 0))
        #expect(try RunCheck.faults(of: run) == ["1 posted, but never sent, the first: c:d-9"])
    }

    @Test("sees a refusal in place of an acknowledgement")
    func seesRefusal() throws {
        var run = goodRun()
        let refusal = #"{"decision_id":"d-1","strategy_name":"b","status":"refused"}"#
        run.acks[1] = RunRecord.Received(body: Array(refusal.utf8), at: 0)
        #expect(try RunCheck.faults(of: run) == ["not accepted: \(refusal)"])
    }

    @Test("sees an outcome that is no success")
    func seesFailure() throws {
        var run = goodRun()
        let failure = #"{"decision_id":"d-1","strategy_name":"b","result":"failed","final":true}"#
        run.outcomes[1] = RunRecord.Received(body: Array(failure.utf8), at: 0)
        #expect(try RunCheck.faults(of: run) == ["did not succeed: \(failure)"])
    }

    /// Six decisions of two strategies, which take turns.
    private func goodRun() -> RunRecord {
        var run = RunRecord()
        for index in 0..<6 {
            let name = DecisionFrames.Name(strategy: index.isMultiple(of: 2) ? "a" : "b", id: "d-\(index)")
            run.sent.append(.init(name: name, dueAt: 0, sentAt: 0))
            let names = #""decision_id":"\#(name.id)","strategy_name":"\#(name.strategy)""#
            run.acks.append(.init(body: Array(#"{\#(names),"status":"accepted"}"#.utf8), at: 0))
            run.outcomes.append(.init(body: Array(#"{\#(names),"result":"success","final":true}"#.utf8), at: 0))
            run.arrivals.append(BrokerArrival(clientOrderID: name.clientOrderID, arrivedAt: 0, answeredAt: 0))
        }
        return run
    }
}
