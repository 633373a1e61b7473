import HostSystem

/// A worker to be measured.
package enum BenchmarkedWorker: String, CaseIterable, Sendable {
    /// Ours.
    case tradeExecutor = "trade-executor"
    /// What a user would write in Python; `python_worker.py`.
    case python

    /// The state directory that it uses below a directory that all share.
    package func stateDirectory(in directory: String) -> String { "\(directory)/\(rawValue)" }
}

/// Where the programs are that a benchmark starts.
package struct BenchmarkPrograms: Sendable {
    /// This program.
    package var benchmark: String
    package var tradeExecutor: String
    package var python: String
    package var pythonWorker: String

    package init(benchmark: String, tradeExecutor: String, python: String, pythonWorker: String) {
        self.benchmark = benchmark
        self.tradeExecutor = tradeExecutor
        self.python = python
        self.pythonWorker = pythonWorker
    }
}

/// A worker that runs.
package final class WorkerUnderTest {
    package private(set) var intake = ""
    package private(set) var outcomes = ""
    /// The worker's own number, whatever it was started through.
    package private(set) var processID: Int32
    private let process: ChildProcess

    /// Starts a worker on free ports and waits until it takes decisions.
    /// - Parameter wrapper: A program and its arguments that start it, such as `strace`; none for the worker alone.
    package init(
        _ worker: BenchmarkedWorker, _ programs: BenchmarkPrograms, stateDirectory: String, brokerURL: String,
        wrapper: [String] = []
    ) throws {
        try Files.makeDirectory(stateDirectory)
        let own =
            switch worker {
            case .tradeExecutor:
                // A backlog of a slow worker waits for minutes, and must not go stale.
                [programs.tradeExecutor, "run", "--log-level", "error", "--max-age-s", "86400"]
            case .python: [programs.python, programs.pythonWorker]
            }
        let command =
            wrapper + own + [
                "--intake", "tcp://127.0.0.1:*", "--outcomes", "tcp://127.0.0.1:*", "--broker-url", brokerURL,
                "--state-dir", stateDirectory,
            ]
        process = try ChildProcess(
            command[0], Array(command.dropFirst()),
            changes: ["APCA_API_KEY_ID": "PKBENCHMARK", "APCA_API_SECRET_KEY": "benchmark"])
        processID = process.id
        guard let line = try process.readLine(milliseconds: 60_000), line.hasPrefix("ready ") else {
            process.send(.kill)
            throw BenchmarkFailure("\(worker.rawValue) did not get ready; what it said stands above")
        }
        for word in line.split(separator: " ") {
            if word.hasPrefix("intake=") { intake = String(word.dropFirst("intake=".count)) }
            if word.hasPrefix("outcomes=") { outcomes = String(word.dropFirst("outcomes=".count)) }
        }
        if !wrapper.isEmpty {
            guard let child = try ProcessUsage.children(of: process.id).first else {
                throw BenchmarkFailure("\(wrapper[0]) started no worker")
            }
            processID = child
        }
    }

    deinit { process.send(.kill) }

    /// Asks the worker to stop, and waits until it and whatever it was started through have ended.
    package func stop() throws {
        guard processID == process.id else {
            try ProcessSignal.terminate(processID)
            process.waitUntilExit()
            return
        }
        process.stop()
    }
}
