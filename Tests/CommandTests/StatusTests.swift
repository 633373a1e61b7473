import AlpacaSimulator
import Foundation
import StrictJSON
import TestKit
import Testing

@Suite("The status of a stopped worker", .timeLimit(.minutes(20)))
struct StoppedStatusTests {
    @Test("is shown from its directory, and is an error only for a probe")
    func stopped() throws {
        let state = try StateOnDisk.withTrades()
        let run = try state.run("status")
        #expect(run.exitCode == 0)
        #expect(run.lines.first == "worker     stopped")
        #expect(run.lines.contains("decisions  0 waiting, 1 executing, 1 unknown"))
        let json = try #require(try state.run("status", "--json").json().first)
        #expect(json["running"] == false)
        #expect(json["answering"] == false)
        #expect(json["worker"] == .null)
        #expect(json["database"]?["unknown"] == 1)
        #expect(json["database"]?["last_seq"] == 4)
        #expect(json["halts"] == [])
        let probe = try state.run("status", "--check")
        #expect(probe.exitCode == 1)
        #expect(probe.errorLines == ["Error: no worker is running on \(state.path)"])
    }

    @Test("shows halts even where there is no database")
    func noDatabase() throws {
        let state = try StateOnDisk()
        _ = try state.run("halt", "--strategy", "pairs", "--reason", "drawdown")
        let run = try state.run("status")
        #expect(run.exitCode == 0)
        #expect(run.lines.contains { $0.hasPrefix("halted     strategy pairs, by ") && $0.hasSuffix(": drawdown") })
        let json = try #require(try state.run("status", "--json").json().first)
        #expect(json["database"] == .null)
        #expect(json["halts"]?.array?.first?["reason"] == "drawdown")
    }

    @Test("cannot be shown where there is no directory")
    func noDirectory() throws {
        let state = try StateOnDisk()
        let run = try CommandRun(["status", "--state-dir", state.path + "/elsewhere"])
        #expect(run.exitCode == 1)
        #expect(run.errorLines.count == 1)
    }
}

@Suite("The status of a running worker", .timeLimit(.minutes(20)))
struct RunningStatusTests {
    @Test("comes from the worker itself, and passes for a probe until everything is halted")
    func running() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        func status(_ arguments: String...) throws -> CommandRun {
            try CommandRun(
                ["status", "--state-dir", worker.stateDirectory, "--intake", worker.intake] + arguments)
        }
        let json = try #require(try status("--json", "--check").json().first)
        #expect(json["running"] == true)
        #expect(json["answering"] == true)
        #expect(json["worker"]?["type"] == "status")
        #expect(json["ok"] == true)
        #expect(try status("--check").exitCode == 0)

        #expect(try CommandRun(["halt", "--strategy", "x", "--state-dir", worker.stateDirectory]).exitCode == 0)
        #expect(try status("--check").exitCode == 0)
        #expect(try CommandRun(["halt", "--state-dir", worker.stateDirectory]).lines.count == 3)
        let halted = try status("--check")
        #expect(halted.exitCode == 1)
        #expect(halted.errors.hasPrefix("Error: halted by "))
    }

    @Test("tells that it hangs, names its process, and still halts and resumes")
    func hanging() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let place = ["--state-dir", worker.stateDirectory]
        let json = try #require(try CommandRun(["status", "--json", "--intake", worker.intake] + place).json().first)
        let process = try #require(json["process_id"]?.integer)
        #expect(kill(Int32(process), SIGSTOP) == 0)
        defer { kill(Int32(process), SIGCONT) }
        let run = try CommandRun(["status", "--intake", worker.intake] + place)
        #expect(run.exitCode == 0)
        #expect(run.lines.first?.hasPrefix("worker     running (process \(process)) but not answering") == true)
        #expect(try CommandRun(["status", "--check", "--intake", worker.intake] + place).exitCode == 1)
        #expect(try CommandRun(["halt"] + place).exitCode == 0)
        #expect(try CommandRun(["resume"] + place).exitCode == 0)
        #expect(try CommandRun(["executions"] + place).output == "no executions\n")
    }

    @Test("is not taken from the worker of another directory")
    func other() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let other = try RunningWorker(broker: broker.url)
        let run = try CommandRun(["status", "--state-dir", worker.stateDirectory, "--intake", other.intake])
        #expect(run.lines.first?.contains("but not answering: another worker answers at \(other.intake)") == true)
    }
}
