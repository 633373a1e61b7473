import AlpacaSimulator
import Foundation
import HostSystem
import StrictJSON
import TestKit
import Testing
import WorkerClient

@Suite("A worker that stops", .timeLimit(.minutes(20)))
struct StoppingTests {
    @Test("finishes the request in flight, refuses what still comes, and leaves what waits for the next start")
    func drains() async throws {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.delayBeforeRecording, milliseconds: 3000))
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide("d-1")
        _ = try worker.decide("d-2")
        worker.askToStop()
        var refusal: JSONValue?
        for number in 3...50 where refusal == nil {
            let answer = try worker.decide("d-\(number)")
            if answer["code"] == "draining" { refusal = answer }
        }
        #expect(refusal?["retry"] == true)
        #expect(worker.exitCode() == 0)
        #expect(
            try worker.texts("SELECT certainty FROM trade_executions e ORDER BY id") == ["answered"])
        #expect(try worker.number("SELECT count(*) FROM trade_decisions WHERE status = 'pending'") > 0)
        try worker.restart()
        #expect(try worker.finalOutcome(of: "d-2")["result"] == "success")
    }

    @Test("by being killed in the middle of a request, takes it up as unknown, looks it up, and sends nothing twice")
    func killedInFlight() async throws {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.delayAfterRecording, milliseconds: 25_000))
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide("d-1")
        _ = try worker.decide("d-2")
        while await broker.summary().posts == 0 { usleep(10_000) }
        worker.kill()
        #expect(try worker.texts("SELECT certainty FROM trade_executions") == ["sending"])
        try worker.restart()
        let outcomes = try worker.outcomes { $0["decision_id"] == "d-2" && $0["final"] == true }
        #expect(outcomes.first?["result"] == "unknown")
        #expect(outcomes.first?["decision_id"] == "d-1")
        #expect(try worker.finalOutcome(of: "d-1")["result"] == "success")
        #expect(await broker.receivedOrders().map(\.clientOrderID) == ["s:d-1", "s:d-2"])
    }

    @Test("again and again, keeps seq without gaps, and the database tells what the topic told")
    func numbersGoOn() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        var stream: JSONValue?
        for round in 1...3 {
            let ack = try worker.decide("d-\(round)")
            if let stream { #expect(ack["stream"] == stream) }
            stream = ack["stream"]
            _ = try worker.finalOutcome(of: "d-\(round)")
            worker.kill()
            try worker.restart()
        }
        let outcomes = try worker.outcomes { $0["decision_id"] == "d-3" && $0["final"] == true }
        #expect(outcomes.map { $0["seq"]?.integer } == outcomes.indices.map { Int64($0 + 1) })
        #expect(outcomes.map(\.text) == (try worker.texts("SELECT body FROM outcomes ORDER BY seq")).compactMap { $0 })
    }
}

@Suite("A subscriber", .timeLimit(.minutes(20)))
struct SubscriberTests {
    @Test("that reads nothing slows nobody, and catches up to the last outcome")
    func frozen() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let frozen = try worker.follow()
        _ = try frozen.next(milliseconds: 100)
        let client = try worker.newClient()
        for number in 1...300 {
            try client.send(
                Array(RunningWorker.decision("d-\(number)", #""symbol":"SPY","side":"buy","notional":"2""#).utf8))
        }
        var count = 0
        _ = try worker.outcomes { outcome in
            if outcome["final"] == true { count += 1 }
            return count == 300
        }
        let stored = try worker.texts("SELECT body FROM outcomes ORDER BY seq").compactMap { $0 }
        var seen: [String] = []
        while seen.count < stored.count, let event = try frozen.next(milliseconds: 10_000) {
            if case .outcome(let outcome) = event { seen.append(outcome.text) }
        }
        #expect(seen == stored)
    }
}

@Suite("A worker that cannot start", .timeLimit(.minutes(20)))
struct StartFailureTests {
    /// Runs a program to its end.
    private func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (code: Int32, errors: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try BuiltPrograms.path("trade-executor"))
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("APCA_") }
            .merging(environment) { $1 }
        let pipe = Pipe()
        process.standardError = pipe
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let errors = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: errors, as: UTF8.self))
    }

    /// Runs `trade-executor run` with what works, changed by `arguments`, and expects one line that says `words`.
    private func expectFailure(
        _ arguments: [String], environment: [String: String] = [:], saying words: String,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let (code, errors) = try run(["run"] + arguments, environment: environment)
        #expect(code == 1, sourceLocation: location)
        let lines = errors.split(separator: "\n").filter { $0.hasPrefix("Error: ") }
        #expect(lines.count == 1 && lines[0].contains(words), "\(errors)", sourceLocation: location)
    }

    private func working(_ directory: TemporaryDirectory) -> [String] {
        [
            "--broker-url", "http://127.0.0.1:9", "--state-dir", directory.path + "/s", "--intake", "tcp://127.0.0.1:*",
            "--outcomes", "tcp://127.0.0.1:*",
        ]
    }

    @Test("because its port is in use, says so")
    func portInUse() async throws {
        let worker = try RunningWorker(broker: "http://127.0.0.1:9")
        let directory = try TemporaryDirectory()
        try expectFailure(working(directory) + ["--intake", worker.intake], saying: "Address already in use")
    }

    @Test("because another has its state directory, says so, and that one goes on")
    func locked() async throws {
        let worker = try RunningWorker(broker: "http://127.0.0.1:9")
        let directory = try TemporaryDirectory()
        try expectFailure(
            working(directory) + ["--state-dir", worker.stateDirectory], saying: "in use by another worker (process ")
        #expect(try worker.ask(#"{"v":1,"type":"ping"}"#)["type"] == "pong")
    }

    @Test("because it cannot write its state, says so")
    func notWritable() throws {
        let directory = try TemporaryDirectory()
        try expectFailure(working(directory) + ["--state-dir", "/proc/nowhere"], saying: "creating /proc/nowhere")
    }

    @Test("without credentials for a real account, says what to set")
    func noCredentials() throws {
        let directory = try TemporaryDirectory()
        try expectFailure(
            working(directory) + ["--broker-url", "https://paper-api.alpaca.markets"],
            saying: "set APCA_API_KEY_ID and APCA_API_SECRET_KEY")
    }

    @Test("over plain http to another machine, refuses")
    func plainHTTP() throws {
        let directory = try TemporaryDirectory()
        try expectFailure(
            working(directory) + ["--broker-url", "http://paper-api.alpaca.markets"], saying: "is not encrypted")
    }

    @Test("with an intake that strangers can reach, refuses")
    func openIntake() throws {
        let directory = try TemporaryDirectory()
        try expectFailure(
            working(directory) + ["--intake", "tcp://0.0.0.0:5555"], saying: "whoever can connect can trade")
    }

    @Test("with a configuration that holds an unknown name, names it and its line")
    func unknownKey() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/c.conf"
        try "# mine\npartition = p1\nintakee = x\n".write(toFile: path, atomically: true, encoding: .utf8)
        try expectFailure(
            working(directory) + ["--config", path], saying: "line 3: there is no setting intakee")
    }

    @Test("with a limits file that is broken or missing, says what is wrong with it")
    func brokenLimits() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/limits.json"
        try expectFailure(working(directory) + ["--limits", path], saying: "limits.json")
        try #"{"v":1,"each":{"orders_per_dya":1}}"#.write(toFile: path, atomically: true, encoding: .utf8)
        try expectFailure(
            working(directory) + ["--limits", path], saying: "limits.json: each.orders_per_dya is no limit")
    }

    @Test("on a database of a newer version, says so")
    func newerDatabase() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        worker.kill()
        try worker.write("INSERT INTO grdb_migrations VALUES ('99: of the future')")
        let directory = try TemporaryDirectory()
        try expectFailure(working(directory) + ["--state-dir", worker.stateDirectory], saying: "newer version")
    }

    @Test("for a flag that does not exist exits with 64")
    func wrongUsage() throws {
        #expect(try run(["run", "--nonsense"]).code == 64)
    }
}
