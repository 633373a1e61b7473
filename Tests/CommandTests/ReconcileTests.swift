import AlpacaSimulator
import Foundation
import StrictJSON
import TestKit
import Testing

@Suite("Unknown attempts that an operator asks about", .timeLimit(.minutes(20)))
struct ReconcileTests {
    /// A worker that looks for what is unknown, but whose broker answers no questions for now.
    private func workerWithUnknown(_ fault: Fault, _ settings: [String] = []) async throws -> (
        SimulatedAlpaca, RunningWorker
    ) {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.html502, times: nil, method: .get))
        await broker.addFault(FaultRule(fault, clientOrderID: "s:d-1"))
        let worker = try RunningWorker(broker: broker.url, settings: settings)
        _ = try worker.decide("d-1")
        _ = try worker.outcomes { $0["result"] == "unknown" }
        // By now it waits several seconds between its questions.
        while try worker.ask(#"{"v":1,"type":"status"}"#)["look_ups"]?.integer ?? 0 < 4 { usleep(50_000) }
        await broker.clearFaults()
        return (broker, worker)
    }

    private func reconcile(_ worker: RunningWorker, _ broker: SimulatedAlpaca, _ more: [String]) throws -> CommandRun {
        try CommandRun(
            ["reconcile", "--state-dir", worker.stateDirectory, "--intake", worker.intake, "--broker-url", broker.url]
                + more)
    }

    @Test("are looked for at once by the worker that runs, and told as found")
    func running() async throws {
        let (broker, worker) = try await workerWithUnknown(.closeAfterRecording)
        let run = try reconcile(worker, broker, ["s:d-1"])
        #expect(run.exitCode == 0)
        #expect(run.lines.count == 1)
        #expect(run.lines.first?.hasPrefix("s:d-1") == true && run.lines.first?.contains("found") == true)
        #expect(try worker.finalOutcome(of: "d-1")["execution"]?["resolution"] == "found")
        #expect(await broker.summary().posts == 1)
        #expect(try reconcile(worker, broker, []).output == "nothing is unknown\n")
        #expect(try reconcile(worker, broker, ["d-1"]).output == "d-1 is not unknown\n")
        #expect(try reconcile(worker, broker, ["nobody"]).exitCode == 1)
    }

    @Test("are looked for in the place of a worker that is stopped, and each look-up is kept")
    func stopped() async throws {
        let (broker, worker) = try await workerWithUnknown(.closeAfterRecording)
        worker.kill()
        let run = try reconcile(worker, broker, ["--json"])
        #expect(run.exitCode == 0)
        #expect(try run.json().first?["execution"]?["resolution"] == "found")
        #expect(await broker.summary().posts == 1)
        let answers = try worker.texts(
            """
            SELECT CAST(status_code AS TEXT) FROM api_payloads WHERE method = 'GET' AND type = 'ApiResponse' ORDER BY id
            """)
        #expect(answers.dropLast().allSatisfy { $0 == "502" } && answers.count >= 5)
        #expect(answers.last == "200")
        try worker.restart()
        #expect(try worker.finalOutcome(of: "d-1")["result"] == "success")
    }

    @Test("of an attempt that was under way when the worker died, are proven absent after the settle time")
    func absent() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(
            broker: broker.url, environment: ["TRADE_EXECUTOR_KILL_AT": "intent_committed:1"])
        try worker.dieOf(RunningWorker.decision("d-1"))
        let run = try reconcile(worker, broker, ["--settle-time-s", "2"])
        #expect(run.exitCode == 0)
        #expect(run.lines.first?.contains("absent") == true)
        #expect(await broker.summary().posts == 0)
    }

    @Test("stay unknown, and are an error, while the broker does not say")
    func unanswered() async throws {
        let (broker, worker) = try await workerWithUnknown(.closeAfterRecording)
        await broker.addFault(FaultRule(.html502, times: nil, method: .get))
        for run in [
            try reconcile(worker, broker, ["--timeout", "2"]),
            try {
                worker.kill()
                return try reconcile(worker, broker, ["--timeout", "2"])
            }(),
        ] {
            #expect(run.exitCode == 1)
            #expect(run.errorLines.last?.hasPrefix("Error: still unknown: s:d-1.") == true)
        }
        #expect(await broker.summary().posts == 1)
    }
}
