import AlpacaAPI
import CurlTransport
import Glibc
import HostSystem
import StrictJSON

/// The programs that the demo runs: a simulator and a worker, as a user would start them.
final class DemoStage {
    /// The path of this very program, for commands that a user can copy.
    let program: String
    let stateDirectory: String
    let simulatorURL: String
    let intake: String
    let outcomes: String
    private let simulator: ChildProcess
    private let worker: ChildProcess
    private let signals: StopSignals

    init(stateDirectory: String) throws {
        self.stateDirectory = stateDirectory
        signals = try StopSignals()
        program = try ThisProgram.path()
        simulator = try ChildProcess(try ThisProgram.neighbour("alpaca-simulator"), ["--port", "0", "--seed", "1"])
        guard let ready = try simulator.readLine(milliseconds: 10_000), let url = DemoStage.value("url", in: ready)
        else { throw Failure("alpaca-simulator did not start") }
        simulatorURL = url
        do {
            (worker, intake, outcomes) = try DemoStage.startWorker(program, simulatorURL: url, in: stateDirectory)
        } catch {
            simulator.stop()
            throw error
        }
    }

    private static func startWorker(
        _ program: String, simulatorURL: String, in stateDirectory: String
    ) throws -> (ChildProcess, intake: String, outcomes: String) {
        let worker = try ChildProcess(
            program,
            [
                "run", "--broker-url", simulatorURL, "--state-dir", stateDirectory, "--intake", "tcp://127.0.0.1:*",
                "--outcomes",
                "tcp://127.0.0.1:*", "--partition", "demo", "--log-level", "error", "--settle-time-s", "5",
            ])
        guard let ready = try worker.readLine(milliseconds: 10_000), let intake = value("intake", in: ready),
            let outcomes = value("outcomes", in: ready)
        else {
            worker.stop()
            throw Failure("the worker did not start; its error stands above")
        }
        return (worker, intake, outcomes)
    }

    private static func value(_ name: String, in line: String) -> String? {
        line.split(separator: " ").first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// Tells the simulator to do something out of the ordinary.
    func direct(_ path: String, _ body: JSONValue) throws {
        guard let credentials = Credentials(keyID: "DEMO", secretKey: "demo") else {
            preconditionFailure("these are credentials")
        }
        let transport = try HTTPTransport(
            BrokerAccess(
                url: try BrokerURL(simulatorURL), credentials: credentials, connectTimeoutMilliseconds: 5000,
                requestTimeoutMilliseconds: 5000))
        let line = try transport.openPlacementLine()
        try line.start(path: path, body: Array(body.text.utf8))
        while true {
            try transport.perform()
            if let result = line.takeResult() {
                guard case .answered(let answer) = result, answer.statusCode == 200 else {
                    throw Failure("the simulator did not take \(path) \(body.text)")
                }
                return
            }
            try transport.wait(for: [], milliseconds: 100)
        }
    }

    /// Whether the demo is to end: somebody pressed Ctrl-C, or one of the programs ended.
    func mustEnd() -> Bool {
        signals.hasArrived() || !worker.isRunning || !simulator.isRunning
    }

    /// Waits for Ctrl-C.
    func stayOpen() {
        print("\nStill running, until Ctrl-C:  intake \(intake)  outcomes \(outcomes)  simulator \(simulatorURL)")
        fflush(nil)
        while !mustEnd() { usleep(200_000) }
    }

    func close() {
        worker.stop()
        simulator.stop()
    }
}
