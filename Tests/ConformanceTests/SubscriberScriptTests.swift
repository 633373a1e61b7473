import Conformance
import StrictJSON
import Testing
import TradingCore

/// A subscriber as the script sees it, in a time of its own: it does what it should, but for one fault.
private struct Subscriber {
    enum Fault: CaseIterable {
        case none
        case ignoresGaps
        case asksAfterWhatItHas
        case ignoresHeartbeats
        case skipsPages
        case takesRepeated
        case ignoresStreams
        case handlesTwice
        case cutsNames
        case subscribesToNoHeartbeats
    }

    let fault: Fault
    var script = SubscriberScript(patience: .seconds(5))
    var now = MonotonicTime(microseconds: 0)
    var stream: String?
    var last: Int64 = 0
    var findings: [Finding] = []

    init(_ fault: Fault) { self.fault = fault }

    /// Runs until the script is done.
    mutating func run() {
        script.subscribed(fault == .cutsNames ? "outcome|mean-rev" : "outcome|mean-rev|", at: now)
        if fault != .subscribesToNoHeartbeats { script.subscribed("heartbeat|", at: now) }
        while !script.isDone {
            now = now + .milliseconds(100)
            for publication in script.tick(at: now) { hear(publication) }
            findings += script.tellFindings()
        }
        script.finish()
        findings += script.tellFindings()
    }

    private mutating func hear(_ publication: SubscriberScript.Publication) {
        let message = read(publication.body)
        if let new = message["stream"]?.string, new != stream {
            if stream != nil, fault != .ignoresStreams { last = 0 }
            stream = new
        }
        if message["type"] == "outcome" {
            let counter = message["strategy_seq"]?.integer ?? 0
            if counter == last + 1 || (fault == .takesRepeated && counter <= last)
                || (fault == .ignoresGaps && counter > last)
            {
                handle(message)
                if fault == .handlesTwice { handle(message) }
            } else if counter > last {
                replay(after: fault == .asksAfterWhatItHas ? counter - 1 : last, newest: counter)
            }
        } else if fault != .ignoresHeartbeats, let newest = message["strategies"]?["mean-rev"]?.integer, newest > last {
            replay(after: last, newest: newest)
        }
    }

    /// - Parameter newest: The counter that showed that something was missed.
    private mutating func replay(after: Int64, newest: Int64) {
        var after = after
        var more = true
        while more {
            let page = read(script.replay(ReplayRequest(strategy: StrategyName("mean-rev"), after: after), at: now))
            let outcomes = page["outcomes"]?.array ?? []
            for outcome in outcomes where (outcome["seq"]?.integer ?? 0) > last { handle(outcome) }
            more = page["more"] == true
            after = last
            if more, fault == .skipsPages {
                last = newest
                return
            }
        }
    }

    private mutating func handle(_ outcome: JSONValue) {
        last = outcome["seq"]?.integer ?? 0
        script.printed(Array(outcome.text.utf8))
    }

    private func read(_ body: [UInt8]) -> JSONValue {
        guard let message = try? JSONValue(parsing: body) else { preconditionFailure("the stand-in sends JSON") }
        return message
    }

    var failed: Set<String> { Set(findings.filter(\.hasFailed).map(\.check)) }
}

@Suite("A subscriber before the stand-in")
struct SubscriberScriptTests {
    @Test("passes when it does all that it should")
    func good() {
        var subscriber = Subscriber(.none)
        subscriber.run()
        #expect(subscriber.findings.count == SubscriberScript.Check.allCases.count)
        #expect(subscriber.findings.filter { !$0.isOK } == [])
    }

    private static let faults: [(Subscriber.Fault, SubscriberScript.Check)] = [
        (.ignoresGaps, .fillsGap), (.asksAfterWhatItHas, .fillsGap), (.ignoresHeartbeats, .followsHeartbeat),
        (.skipsPages, .asksForMore), (.takesRepeated, .dropsRepeated), (.ignoresStreams, .newStream),
        (.handlesTwice, .handlesOnce), (.cutsNames, .wholeNames), (.subscribesToNoHeartbeats, .hearsHeartbeats),
    ]

    @Test("fails by what it does wrong", arguments: faults.indices)
    func faulty(index: Int) {
        let (fault, check) = Self.faults[index]
        var subscriber = Subscriber(fault)
        subscriber.run()
        #expect(subscriber.failed.contains(check.rawValue), "\(subscriber.findings)")
    }

    @Test("can be every kind of faulty")
    func everyFault() {
        #expect(Self.faults.count == Subscriber.Fault.allCases.count - 1)
    }

    @Test("is told how to show what it handles, when it shows nothing")
    func quiet() {
        var script = SubscriberScript(patience: .seconds(1))
        var now = MonotonicTime(microseconds: 0)
        script.subscribed("", at: now)
        while !script.isDone {
            now = now + .milliseconds(100)
            _ = script.tick(at: now)
        }
        script.finish()
        let findings = script.tellFindings()
        #expect(findings.first { $0.check == SubscriberScript.Check.handlesOnce.rawValue }?.isSkipped == true)
        // Who hears and asks for nothing misses everything.
        #expect(findings.count { $0.hasFailed } >= 3)
    }
}
