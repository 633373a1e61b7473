import AlpacaSimulator
import Foundation
import HostSystem
import StrictJSON
import TestKit
import Testing
import TradingCore
import WorkerClient

@Suite("A message at the intake", .timeLimit(.minutes(20)))
struct IntakeTests {
    @Test(
        "that is not taken is answered with its code, kept, and never posted",
        arguments: [
            ("bad_json", "{"), ("bad_json", #"{"v":1,"v":1}"#), ("unsupported_version", #"{"v":2}"#),
            ("bad_field", RunningWorker.decision("x", #""color":"red""#)),
            ("bad_field", #"{"v":1,"type":"dance"}"#),
            ("too_large", #"{"v":1,"pad":"\#(String(repeating: "x", count: 70_000))"}"#),
        ])
    func refused(_ code: String, _ body: String) async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let answer = try worker.ask(body)
        #expect(answer["type"] == "ack")
        #expect(answer["status"] == "refused")
        #expect(answer["code"]?.string == code)
        #expect(answer["retry"] == false)
        #expect(try worker.texts("SELECT code FROM refused_messages") == [code])
        #expect(try worker.number("SELECT length(body) FROM refused_messages") == min(body.utf8.count, 4096))
        #expect(await broker.summary().posts == 0)
    }

    @Test("that came before is answered as then, with its outcome, and not executed again")
    func duplicate() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let first = try worker.decide("d-1")
        let final = try worker.finalOutcome(of: "d-1")
        let again = try worker.decide("d-1")
        #expect(again["status"] == "accepted")
        #expect(again["duplicate"] == true)
        #expect(again["decision_seq"] == first["decision_seq"])
        #expect(again["outcome"] == final)
        #expect(try worker.decide("d-1", strategy: "t")["duplicate"] == false)
        _ = try worker.finalOutcome(of: "d-1", strategy: "t")
        #expect(await broker.summary().posts == 2)
    }

    @Test("that reuses an id for something else is refused, and the first one stands")
    func idConflict() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide("d-1")
        let answer = try worker.decide("d-1", #""symbol":"AAPL","side":"sell","quantity":"10""#)
        #expect(answer["code"] == "id_conflict")
        #expect(try worker.texts("SELECT side FROM trade_decisions") == ["buy"])
    }

    @Test("with a counter is taken only as the next one")
    func sequence() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        #expect(try worker.decide("d-1", #""sequence":1"#)["status"] == "accepted")
        let early = try worker.decide("d-3", #""sequence":3"#)
        #expect(early["code"] == "out_of_order")
        #expect(early["expected"]?.integer == 2)
        #expect(early["retry"] == true)
        #expect(try worker.decide("d-2", #""sequence":2"#)["status"] == "accepted")
        #expect(try worker.decide("d-3", #""sequence":3"#)["status"] == "accepted")
    }

    @Test("is refused while too many wait, and taken again later")
    func queueFull() async throws {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.delayBeforeRecording, milliseconds: 2000))
        let worker = try RunningWorker(broker: broker.url, settings: ["--queue-max", "2"])
        for number in 1...3 { #expect(try worker.decide("d-\(number)")["status"] == "accepted") }
        let answer = try worker.decide("d-4")
        #expect(answer["code"] == "queue_full")
        #expect(answer["retry"] == true)
        _ = try worker.finalOutcome(of: "d-3")
        #expect(try worker.decide("d-4")["status"] == "accepted")
    }

    @Test("on the second endpoint is taken without an answer")
    func pull() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url, settings: ["--pull-intake", "tcp://127.0.0.1:*"])
        try worker.push(RunningWorker.decision("d-1"))
        try worker.push("rubbish")
        #expect(try worker.finalOutcome(of: "d-1")["result"] == "success")
        let state = try worker.ask(#"{"v":1,"type":"status"}"#)
        #expect(state["refused"]?.integer == 1)
    }

    @Test("that only asks is answered")
    func questions() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let pong = try worker.ask(#"{"v":1,"type":"ping"}"#)
        #expect(pong["type"] == "pong")
        _ = try worker.decide("d-1")
        _ = try worker.finalOutcome(of: "d-1")
        let state = try worker.ask(#"{"v":1,"type":"status"}"#)
        #expect(state["pending"]?.integer == 0)
        #expect(state["unknown"]?.integer == 0)
        let replay = try worker.ask(#"{"v":1,"type":"replay","strategy_name":"s","after":0,"limit":1}"#)
        #expect(replay["outcomes"]?.array?.count == 1)
        #expect(replay["more"] == true)
        #expect(replay["stream"] == pong["stream"])
        let stored = try worker.texts("SELECT body FROM outcomes ORDER BY seq")
        let all = try worker.ask(#"{"v":1,"type":"replay","after":0}"#)
        #expect(try all["outcomes"]?.array == stored.map { try JSONValue(parsing: try #require($0)) })
    }

    @Test("is acknowledged within milliseconds while the broker takes its time over another one")
    func slowBroker() async throws {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.delayBeforeRecording, milliseconds: 3000))
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide("d-1")
        let clock = SystemClock()
        var slowest = Microseconds.zero
        for number in 2...40 {
            let sent = clock.monotonic()
            _ = try worker.decide("d-\(number)")
            slowest = max(slowest, clock.monotonic() - sent)
        }
        // The bar is 20 ms on an idle machine; here others may be building.
        #expect(slowest < .milliseconds(500))
        #expect(await broker.summary().posts == 1)
        let state = try worker.ask(#"{"v":1,"type":"status"}"#)
        #expect(state["sending"] == true)
        #expect(state["pending"]?.integer == 39)
    }

    @Test("of one publisher is executed in that publisher's order, whatever others send")
    func order() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let clients = try (0..<4).map { _ in try worker.newClient() }
        for number in 100..<150 {
            for (index, client) in clients.enumerated() {
                try client.send(Array(RunningWorker.decision("d-\(number)", strategy: "s\(index)").utf8))
            }
        }
        var count = 0
        _ = try worker.outcomes { outcome in
            if outcome["final"] == true { count += 1 }
            return count == 200
        }
        let received = await broker.receivedOrders().compactMap(\.clientOrderID)
        #expect(received.count == 200)
        for index in 0..<4 {
            let own = received.filter { $0.hasPrefix("s\(index):") }
            #expect(own == own.sorted())
        }
        let accepted = try worker.texts("SELECT strategy_name || ':' || decision_id FROM trade_decisions ORDER BY id")
        #expect(received == accepted.compactMap { $0 })
    }
}

@Suite("A decision that must not be sent any more", .timeLimit(.minutes(20)))
struct StaleDecisionTests {
    @Test("because its deadline passed while it waited, is refused")
    func expired() async throws {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.delayBeforeRecording, milliseconds: 700))
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide("d-1")
        _ = try worker.decide("d-2", #""valid_for_ms":100"#)
        _ = try worker.decide("d-3", #""expires_at":"2001-01-01T00:00:00Z""#)
        _ = try worker.decide("d-4")
        for id in ["d-2", "d-3"] {
            let outcome = try worker.finalOutcome(of: id)
            #expect(outcome["result"] == "failed")
            #expect(outcome["decision_status"] == "failed")
            #expect(outcome["reason"] == "expired")
            #expect(outcome["execution"] == JSONValue.null)
        }
        #expect(try worker.finalOutcome(of: "d-4")["result"] == "success")
        #expect(await broker.receivedOrders().map(\.clientOrderID) == ["s:d-1", "s:d-4"])
        #expect(
            try worker.texts("SELECT topic FROM outcomes WHERE body LIKE '%expired%' ORDER BY seq")
                == ["outcome|s|AAPL|refused", "outcome|s|AAPL|refused"])
        #expect(
            try worker.texts("SELECT failure_reason FROM trade_decisions WHERE status = 'failed'")
                == ["expired", "expired"])
    }

    @Test("because all is halted, is refused; new ones are not taken; after resuming all goes on")
    func halted() async throws {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.delayBeforeRecording, milliseconds: 700))
        let worker = try RunningWorker(broker: broker.url)
        let halts = HaltFiles(stateDirectory: worker.stateDirectory)
        _ = try worker.decide("d-1")
        _ = try worker.decide("d-2")
        try halts.write(Halt(.all, reason: "news"))
        let refused = try worker.decide("d-3")
        #expect(refused["code"] == "halted")
        #expect(refused["message"]?.string?.contains("news") == true)
        #expect(try worker.finalOutcome(of: "d-2")["reason"] == "halted")
        #expect(try worker.ask(#"{"v":1,"type":"status"}"#)["halted"] == ["all"])
        #expect(try halts.clear(.all))
        #expect(try worker.decide("d-3")["status"] == "accepted")
        #expect(try worker.finalOutcome(of: "d-3")["result"] == "success")
        #expect(await broker.receivedOrders().map(\.clientOrderID) == ["s:d-1", "s:d-3"])
    }

    @Test("for now, because its strategy is held, waits while others go on, and is sent when that ends")
    func held() async throws {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.delayBeforeRecording, milliseconds: 700))
        let worker = try RunningWorker(broker: broker.url)
        let halts = HaltFiles(stateDirectory: worker.stateDirectory)
        let scope = Halt.Scope.strategy(try #require(StrategyName("s")))
        _ = try worker.decide("d-1")
        _ = try worker.decide("d-2")
        try halts.write(Halt(scope, hold: true))
        #expect(try worker.decide("d-3")["code"] == "halted")
        #expect(try worker.decide("d-1", strategy: "t")["status"] == "accepted")
        #expect(try worker.finalOutcome(of: "d-1", strategy: "t")["result"] == "success")
        #expect(try worker.texts("SELECT status FROM trade_decisions WHERE decision_id = 'd-2'") == ["pending"])
        #expect(try halts.clear(scope))
        #expect(try worker.finalOutcome(of: "d-2")["result"] == "success")
    }
}
