import StrictJSON
import Testing
import TradingCore

private func moment(_ second: Int64) -> Timestamp { Timestamp(nanoseconds: second * 1_000_000_000) }

private func strategy(_ name: String) throws -> Halt.Scope { .strategy(try #require(StrategyName(name))) }

@Suite("An entry of the record of halts")
struct HaltEventTests {
    @Test("reads as it was written", arguments: HaltEvent.Action.allCases)
    func again(_ action: HaltEvent.Action) throws {
        for scope in [Halt.Scope.all, try strategy("all"), try strategy("mean-rev")] {
            for text in [nil, "", "two\nlines, \"quoted\" \u{1F600}"] {
                let event = HaltEvent(action, scope, hold: true, reason: text, by: text, at: moment(1_700_000_000))
                let line = Array(event.json.text.utf8)
                #expect(!line.contains(UInt8(ascii: "\n")))
                #expect(HaltEvent(line: line) == event)
            }
        }
    }

    @Test(
        "is nothing where its line makes no sense",
        arguments: [
            "", "{}", "[]", "halted", #"{"at":"2026-11-22T14:30:01Z","action":"halted"}"#,
            #"{"at":"now","action":"halted","scope":"all"}"#,
            #"{"at":"2026-11-22T14:30:01Z","action":"paused","scope":"all"}"#,
            #"{"at":"2026-11-22T14:30:01Z","action":"halted","scope":"../all"}"#,
        ])
    func nonsense(_ line: String) {
        #expect(HaltEvent(line: Array(line.utf8)) == nil)
    }

    @Test("keeps a reason of a thousand characters, so that its line can be read")
    func long() {
        let event = HaltEvent(
            .halted, .all, reason: String(repeating: "\u{1}", count: 100_000), by: nil, at: moment(1))
        #expect(event.reason?.unicodeScalars.count == 1000)
        #expect(event.json.text.utf8.count < HaltHistoryPage.bytesMax)
    }
}

@Suite("A page of the history of halts")
struct HaltHistoryPageTests {
    private let event = HaltEvent(.halted, .all, reason: "r", by: "b", at: moment(1))
    private var line: [UInt8] { Array((event.json.text + "\n").utf8) }

    @Test("ends before a line that is not whole yet, and goes on there")
    func torn() {
        let length = Int64(line.count)
        for count in 0..<line.count {
            let page = HaltHistoryPage(line + line[..<count], from: 100)
            #expect(page.entries == [.init(event: event, end: 100 + length)])
            #expect(page.end == 100 + length)
        }
        #expect(HaltHistoryPage(line + line, from: 0).entries.map(\.end) == [length, 2 * length])
    }

    @Test("passes over lines that make no sense")
    func nonsense() {
        let page = HaltHistoryPage(Array("nonsense\n\n".utf8) + line, from: 0)
        #expect(page.entries.map(\.event) == [nil, event])
        let endless = [UInt8](repeating: 0x7B, count: HaltHistoryPage.bytesMax)
        #expect(HaltHistoryPage(endless, from: 7).entries.isEmpty)
        #expect(HaltHistoryPage(overlongLineTo: 70_000).entries == [.init(event: nil, end: 70_000)])
    }

    @Test("is read on from only while that leads forward, or back to the beginning of another file, once")
    func forward() {
        let length = Int64(line.count)
        var reads = 0
        let events = HaltHistoryPage.events(from: 5 * length) { position in
            reads += 1
            return HaltHistoryPage(line, from: position < 3 * length ? position : 0)
        }
        // From 5 to 1, 2, 3, and back again.
        #expect(reads == 4)
        #expect(events == [event, event, event])
    }
}

@Suite("What is not on record of halts")
struct HaltAuditTests {
    @Test("is recorded at the second look, and once")
    func byHand() throws {
        var audit = HaltAudit()
        let halts = [Halt(.all), Halt(try strategy("s"), hold: true, reason: "r", by: "b", at: moment(3))]
        #expect(audit.look(at: halts, now: moment(5)).isEmpty)
        let made = audit.look(at: halts, now: moment(6))
        #expect(
            made == [
                HaltEvent(.halted, .all, reason: HaltAudit.byHand, by: nil, at: moment(6)),
                HaltEvent(.halted, try strategy("s"), hold: true, reason: "r", by: "b", at: moment(3)),
            ])
        // Not stored yet, so it is told again.
        #expect(audit.look(at: halts, now: moment(6)) == made)
        audit.note(made)
        #expect(audit.look(at: halts, now: moment(7)).isEmpty)
        #expect(audit.look(at: halts, now: moment(8)).isEmpty)

        #expect(audit.look(at: [halts[1]], now: moment(9)).isEmpty)
        let ended = audit.look(at: [halts[1]], now: moment(10))
        #expect(ended == [HaltEvent(.resumed, .all, reason: HaltAudit.byHand, by: nil, at: moment(10))])
        audit.note(ended)
        #expect(audit.look(at: [halts[1]], now: moment(11)).isEmpty)
    }

    @Test("is nothing while a command has made the halt and is about to record it")
    func command() {
        var audit = HaltAudit()
        let halt = Halt(.all, by: "b", at: moment(1))
        #expect(audit.look(at: [halt], now: moment(2)).isEmpty)
        audit.note([HaltEvent(halt, at: moment(1))])
        #expect(audit.look(at: [halt], now: moment(3)).isEmpty)
        audit.note([HaltEvent(.resumed, .all, reason: nil, by: "b", at: moment(4))])
        #expect(audit.look(at: [halt], now: moment(4)).isEmpty)
        #expect(audit.look(at: [], now: moment(5)).isEmpty)
        #expect(audit.resumedAt(.all) == moment(4))
    }

    @Test("is a halt that is still in force after its end was recorded, from now on")
    func notEnded() {
        let halt = Halt(.all, by: "b", at: moment(1))
        var audit = HaltAudit([
            HaltEvent(halt, at: moment(1)), HaltEvent(.resumed, .all, reason: nil, by: "b", at: moment(4)),
        ])
        _ = audit.look(at: [halt], now: moment(5))
        #expect(
            audit.look(at: [halt], now: moment(6)) == [HaltEvent(.halted, .all, reason: nil, by: "b", at: moment(6))])
        #expect(HaltAudit([HaltEvent(halt, at: moment(1))]).resumedAt(.all) == nil)
    }
}

@Suite("The worker halts by itself")
struct AutomaticHaltTests {
    private static let errors: [(AttemptResult, Int?)] = [
        (.lost(reason: "Timeout was reached"), nil), (.notSent(reason: "Couldn't connect to server"), nil),
        (.lost(reason: "HTTP 503: x"), 503), (.refused(BrokerError(message: "who?")), 401),
        (.refused(BrokerError(message: "slow down")), 429), (.refused(BrokerError(message: "slow down")), 408),
    ]
    private static let answers: [(AttemptResult, Int?)] =
        [400, 403, 404, 409, 422].map { (.refused(BrokerError(message: "no")), $0) }
        + [(.exists(BrokerError(message: "client_order_id must be unique")), 422)]

    @Test("at the last of so many broker errors in a row, of whatever kind")
    func inARow() {
        var halt = AutomaticHalt(.init(errorsInARow: Self.errors.count))
        for (result, status) in Self.errors {
            #expect(halt.reason(unknown: 100) == nil)
            halt.note(result, httpStatusCode: status)
        }
        #expect(
            halt.reason(unknown: 0)
                == "6 broker errors in a row (halt_after_errors is 6), the last: HTTP 408: slow down")
        halt.resume(unknown: 0)
        #expect(halt.reason(unknown: 0) == nil)
        halt.note(.lost(reason: "x"), httpStatusCode: nil)
        #expect(halt.reason(unknown: 0) == nil)
    }

    @Test("not for orders that are refused, each of which ends the row")
    func refusals() {
        for (result, status) in Self.answers {
            var halt = AutomaticHalt(.init(errorsInARow: 2))
            for _ in 1...3 {
                halt.note(.lost(reason: "x"), httpStatusCode: nil)
                halt.note(result, httpStatusCode: status)
            }
            #expect(halt.reason(unknown: 0) == nil, "\(status ?? 0)")
        }
    }

    @Test("over so many unknown attempts, and after resuming only when they have become more")
    func unknown() {
        var halt = AutomaticHalt(.init(unknown: 2))
        #expect(halt.reason(unknown: 2) == nil)
        #expect(halt.reason(unknown: 3) == "3 attempts are unknown (halt_over_unknown is 2)")
        halt.resume(unknown: 4)
        #expect(halt.reason(unknown: 4) == nil)
        #expect(halt.reason(unknown: 5) != nil)
        // One was found: there is no room for a new one in its place.
        #expect(halt.reason(unknown: 3) == nil)
        #expect(halt.reason(unknown: 4) != nil)
        #expect(halt.reason(unknown: 0) == nil)
        #expect(halt.reason(unknown: 3) != nil)
    }

    @Test("never where it is not asked to")
    func off() {
        var halt = AutomaticHalt(.init())
        for _ in 1...100 { halt.note(.lost(reason: "x"), httpStatusCode: nil) }
        #expect(halt.reason(unknown: 1000) == nil)
        #expect(halt.thresholds.isOff)
    }

    @Test("not over unknown attempts that were there when trading was resumed, before this process")
    func afterRestart() {
        var halt = AutomaticHalt(.init(unknown: 2), knownUnknown: 4)
        #expect(halt.reason(unknown: 4) == nil)
        #expect(halt.reason(unknown: 5) != nil)
    }
}

@Suite("The file of a halt")
struct HaltFileTests {
    @Test("lets decisions wait unless it is empty, or says that they are refused")
    func hold() {
        for refusing in ["", "\n", "{}", #"{"hold":false}"#, #"{"hold":null}"#] {
            #expect(!Halt(.all, fileContent: Array(refusing.utf8)).hold, "\(refusing)")
        }
        for unclear in [#"{"hold":true}"#, #"{"hold":"yes"}"#, #"{"hold":tr"#, "news", "[]", "\u{0}"] {
            #expect(Halt(.all, fileContent: Array(unclear.utf8)).hold, "\(unclear)")
        }
    }
}
