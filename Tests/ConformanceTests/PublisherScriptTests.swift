import Conformance
import StrictJSON
import Testing
import TradingCore

/// A publisher as the script sees it, in a time of its own.
private struct Publisher {
    var script = PublisherScript(patience: .seconds(5))
    var now = MonotonicTime(microseconds: 0)
    var findings: [Finding] = []

    /// Sends a decision over one connection or another, and gives the answers with whom they are for.
    mutating func send(_ number: Int, from sender: Int = 1, quantity: Int = 1, more: String = "") -> [(
        to: Int, answer: JSONValue
    )] {
        sendBody(
            """
            {"v":1,"decision_id":"d-\(number)","strategy_name":"s","symbol":"AAPL","side":"buy","quantity":\(quantity)\(more)}
            """, from: sender)
    }

    mutating func sendBody(_ text: String, from sender: Int) -> [(to: Int, answer: JSONValue)] {
        let body = Array(text.utf8)
        let request: Result<Decision, RefusedFrame>
        switch RequestFrame.read(body) {
        case .success(.decision(let decision)): request = .success(decision)
        case .success: preconditionFailure("only decisions are sent here")
        case .failure(let refused): request = .failure(refused)
        }
        let answers = script.take(request, body, from: [[UInt8(sender)]], at: now)
        findings += script.tellFindings()
        return answers.map { answer in
            guard let message = try? JSONValue(parsing: answer.body) else { preconditionFailure("answers are JSON") }
            return (Int(answer.envelope[0][0]), message)
        }
    }

    mutating func wait(_ seconds: Int64) {
        for _ in 0..<seconds {
            now = now + .seconds(1)
            script.tick(at: now)
        }
        findings += script.tellFindings()
    }

    mutating func finish() {
        script.finish()
        findings += script.tellFindings()
    }

    /// The first decision, as it should be sent.
    mutating func sendFirst() {
        for _ in 1...3 {
            _ = send(1)
            wait(2)
        }
    }

    func verdict(_ check: PublisherScript.Check) -> Finding.Verdict? {
        findings.first { $0.check == check.rawValue }?.verdict
    }

    func hasFailed(_ check: PublisherScript.Check) -> Bool {
        findings.contains { $0.check == check.rawValue && $0.hasFailed }
    }
}

@Suite("A publisher before the stand-in")
struct PublisherScriptTests {
    @Test("passes when it does all that it should")
    func good() {
        var publisher = Publisher()
        #expect(publisher.send(1).isEmpty)
        publisher.wait(2)
        #expect(publisher.send(1).isEmpty)
        publisher.wait(2)
        #expect(publisher.send(1).map(\.answer["status"]) == ["accepted"])
        // The answer that the first had to wait for comes late, for whoever sent it first.
        let second = publisher.send(2, from: 20)
        #expect(second.map(\.to) == [1])
        #expect(second[0].answer["decision_id"] == "d-1")
        #expect(second[0].answer["not_known_yet"] != nil)
        publisher.wait(2)
        let again = publisher.send(2, from: 21)
        #expect(again.map(\.to) == [21])
        #expect(again[0].answer["decision_id"] == "d-2")
        #expect(publisher.send(3)[0].answer["retry"] == false)
        #expect(publisher.send(4)[0].answer["retry"] == true)
        publisher.wait(1)
        #expect(publisher.send(4)[0].answer["status"] == "accepted")
        #expect(publisher.script.isDone)
        publisher.finish()
        #expect(publisher.findings.count == PublisherScript.Check.allCases.count)
        #expect(publisher.findings.filter { !$0.isOK } == [])
    }

    @Test("fails when it never sends again")
    func silent() {
        var publisher = Publisher()
        _ = publisher.send(1)
        publisher.wait(6)
        #expect(publisher.verdict(.repeatsBytes) == nil)
        publisher.wait(3)
        #expect(publisher.hasFailed(.repeatsBytes))
        #expect(publisher.script.isDone)
    }

    @Test("fails when it sends the same id with other bytes")
    func otherBytes() {
        var publisher = Publisher()
        _ = publisher.send(1)
        publisher.wait(2)
        #expect(publisher.send(1, more: " ")[0].answer["code"] == "id_conflict")
        #expect(publisher.hasFailed(.repeatsBytes))
    }

    @Test("fails when it takes an id again for something else")
    func idAgain() {
        var publisher = Publisher()
        publisher.sendFirst()
        #expect(publisher.send(1, quantity: 2)[0].answer["code"] == "id_conflict")
        #expect(publisher.hasFailed(.idsOnce))
    }

    @Test("fails when it does not wait for the answer, unless it numbers its decisions")
    func pipelined() {
        var publisher = Publisher()
        _ = publisher.send(1)
        _ = publisher.send(2)
        #expect(publisher.hasFailed(.oneInFlight))
        var numbered = Publisher()
        _ = numbered.send(1, more: #","sequence":1"#)
        _ = numbered.send(2, more: #","sequence":2"#)
        #expect(!numbered.hasFailed(.oneInFlight))
    }

    @Test("fails when members that it does not know make it ask again")
    func unknownMembers() {
        var publisher = Publisher()
        publisher.sendFirst()
        _ = publisher.send(1)
        #expect(publisher.hasFailed(.unknownMembers))
    }

    @Test("fails when a late answer to the decision before satisfies it")
    func lateAnswer() {
        var publisher = Publisher()
        publisher.sendFirst()
        _ = publisher.send(2)
        _ = publisher.send(3)
        #expect(publisher.hasFailed(.lateAnswer))
        #expect(!publisher.hasFailed(.oneInFlight))
    }

    @Test("fails when it repeats what is refused for good, and may give up what is refused for now")
    func refused() {
        var publisher = Publisher()
        publisher.sendFirst()
        for number in [2, 2, 3, 3, 4] { _ = publisher.send(number) }
        #expect(publisher.hasFailed(.refusedForGood))
        publisher.wait(20)
        #expect(publisher.verdict(.refusedForNow) == .skipped(why: "it gave up, which it may"))
    }

    @Test("fails when it sends what no worker takes, and is told why")
    func malformed() {
        var publisher = Publisher()
        #expect(publisher.sendBody(#"{"v":1,"decision_id":"d-1"}"#, from: 1)[0].answer["field"] == "strategy_name")
        #expect(publisher.hasFailed(.followsContract))
    }

    @Test("is told what it takes to see the rest")
    func few() {
        var publisher = Publisher()
        publisher.sendFirst()
        publisher.wait(20)
        #expect(publisher.script.isDone)
        publisher.finish()
        #expect(publisher.verdict(.lateAnswer) == .skipped(why: "it sent 1 decisions; this takes 2"))
        #expect(!publisher.findings.contains { $0.hasFailed })
    }
}
