import AlpacaSimulator
import StrictJSON
import TestKit
import Testing

@Suite("The conformance command", .timeLimit(.minutes(20)))
struct ConformanceCommandTests {
    @Test("prints a line for each check, and their count")
    func passes() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let run = try CommandRun([
            "conformance", "--intake", worker.intake, "--outcomes", worker.outcomes, "--timeout", "60",
        ])
        #expect(run.exitCode == 0, "\(run.output)")
        #expect(run.errors == "")
        #expect(run.lines.dropLast().allSatisfy { $0.hasPrefix("ok       ") || $0.hasPrefix("skipped  ") })
        let passed = run.lines.count { $0.hasPrefix("ok ") }
        let skipped = run.lines.count { $0.hasPrefix("skipped ") }
        #expect(run.lines.last == "\(passed) ok, 0 failed, \(skipped) skipped")
        #expect(run.lines.contains("skipped  frame orders/bracket: it places an order; --with-golden-orders"))
        #expect(await broker.receivedOrders().isEmpty)
    }

    @Test("tells what was expected and what was seen where a check fails, and exits 1")
    func fails() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        // Another worker's topic: what is decided here is never told there.
        let other = try RunningWorker(broker: broker.url)
        let run = try CommandRun([
            "conformance", "--intake", worker.intake, "--outcomes", other.outcomes, "--timeout", "2", "--json",
        ])
        #expect(run.exitCode == 1)
        let findings = try run.json()
        let failed = findings.filter { $0["verdict"] == "fail" }
        #expect(failed.contains { $0["check"] == "publishes the outcome of a decision, and replays the same" })
        #expect(failed.contains { $0["check"] == "names one stream in every message" })
        #expect(failed.allSatisfy { $0["expected"]?.string != nil && $0["seen"]?.string != nil })
        #expect(findings.contains { $0["check"] == "frame bad-field/unquoted-fraction" && $0["verdict"] == "ok" })
        #expect(run.errorLines == ["Error: \(failed.count) of \(findings.count) checks failed; see above"])
    }

    @Test("says so where nobody answers")
    func nobody() throws {
        let run = try CommandRun([
            "conformance", "--intake", "tcp://127.0.0.1:1", "--outcomes", "tcp://127.0.0.1:2", "--timeout", "1",
        ])
        #expect(run.exitCode == 1)
        #expect(run.lines.count == 1)
        #expect(run.errorLines.count == 1)
        #expect(run.errorLines.first?.hasPrefix("Error: nothing can be checked at tcp://127.0.0.1:1; ") == true)
    }
}
