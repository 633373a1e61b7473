import GRDB
import HostSystem
import StrictJSON
import ZeroMQMessaging

/// Times the commands that read a worker's database, each as a whole process.
package struct ReadCommands {
    private let programs: BenchmarkPrograms
    private let stateDirectory: String
    /// How long each command is measured, in seconds, and how often at most.
    private let seconds: Double
    private static let runsMax = 200

    static let startUp = "(start-up: --help)"
    static let replay = "(replay of 500 outcomes, asked of a worker)"

    package init(_ programs: BenchmarkPrograms, stateDirectory: String, seconds: Double) {
        self.programs = programs
        self.stateDirectory = stateDirectory
        self.seconds = seconds
    }

    /// - Parameter progress: Told what is measured next.
    package func measure(progress: (String) -> Void) throws -> [ReadResult] {
        let samples = try samples()
        guard !samples.isEmpty else { throw BenchmarkFailure("\(stateDirectory) has no executions to read") }
        var results = [try time(ReadCommands.startUp) { _ in ["--help"] }]
        for (name, arguments) in commands(samples) {
            progress(name)
            results.append(try time(name) { arguments($0) + ["--json", "--state-dir", stateDirectory] })
        }
        progress(ReadCommands.replay)
        return results + [try timeReplay()]
    }

    // MARK: Commands

    private struct Sample {
        let decisionID: String
        let executionID: String
        let clientOrderID: String
        let alpacaOrderID: String
        let symbol: String
        let strategy: String
    }

    /// Trades from anywhere in the history, so that no two runs of a command read the same pages.
    private func samples() throws -> [Sample] {
        try DatabaseFile.read(StateDirectory.databasePath(in: stateDirectory)) { database in
            let last = try Int64.fetchOne(database, sql: "SELECT max(id) FROM trade_executions") ?? 0
            guard last > 0 else { return [] }
            return try (0..<ReadCommands.runsMax).compactMap { _ in
                try Row.fetchOne(
                    database,
                    sql: """
                        SELECT decision_id, execution_id, client_order_id, alpaca_order_id, symbol, strategy_name
                        FROM trade_executions JOIN trade_decisions ON trade_decisions.id = trade_decision_id
                        WHERE trade_executions.id >= ? AND alpaca_order_id IS NOT NULL
                        ORDER BY trade_executions.id LIMIT 1
                        """, arguments: [Int64.random(in: 1...last)]
                ).map { row in
                    Sample(
                        decisionID: row[0], executionID: row[1], clientOrderID: row[2], alpacaOrderID: row[3],
                        symbol: row[4], strategy: row[5])
                }
            }
        }
    }

    private func commands(_ samples: [Sample]) -> [(String, (Int) -> [String])] {
        func sample(_ index: Int) -> Sample { samples[index % samples.count] }
        var commands: [(String, (Int) -> [String])] = [("executions", { _ in ["executions"] })]
        for scope in ["successful", "failed", "pending", "unknown", "recent"] {
            commands.append(("executions --scope \(scope)", { _ in ["executions", "--scope", scope] }))
        }
        for status in ["filled", "rejected", "cancelled"] {
            commands.append(("executions --status \(status)", { _ in ["executions", "--status", status] }))
        }
        commands += [
            ("executions --symbol S", { ["executions", "--symbol", sample($0).symbol] }),
            ("executions --symbol S --limit 0", { ["executions", "--symbol", sample($0).symbol, "--limit", "0"] }),
            (
                "executions --symbol S --status filled --payloads",
                { ["executions", "--symbol", sample($0).symbol, "--status", "filled", "--payloads"] }
            ),
            ("executions --strategy S", { ["executions", "--strategy", sample($0).strategy] }),
            (
                "executions --strategy S --scope failed",
                { ["executions", "--strategy", sample($0).strategy, "--scope", "failed"] }
            ),
            ("executions --since 1h", { _ in ["executions", "--since", "1h"] }),
            ("executions --limit 10000", { _ in ["executions", "--limit", "10000"] }),
        ]
        for subject in ["message", "strategy", "symbol"] {
            commands.append(("failures --by \(subject)", { _ in ["failures", "--by", subject] }))
        }
        commands += [
            ("failures --since 24h", { _ in ["failures", "--since", "24h"] }),
            ("show (Alpaca order id)", { ["show", sample($0).alpacaOrderID] }),
            ("show (client order id)", { ["show", sample($0).clientOrderID] }),
            ("show (decision id)", { ["show", sample($0).decisionID] }),
            ("show (execution id)", { ["show", sample($0).executionID] }),
            ("status", { _ in ["status"] }),
        ]
        return commands
    }

    // MARK: Timing

    /// Runs something again and again, once first that does not count.
    private func time(_ name: String, running step: (Int) throws -> Int) throws -> ReadResult {
        var lines = try step(0)
        var latencies = Latencies()
        let end = Clock.now() + Int64(seconds * 1_000_000_000)
        var count = 0
        while count == 0 || count < ReadCommands.runsMax && Clock.now() < end {
            let start = Clock.now()
            lines = try step(count)
            latencies.record(nanoseconds: Clock.now() - start)
            count += 1
        }
        guard let latency = latencies.summary else { throw BenchmarkFailure("\(name) was never run") }
        return ReadResult(name: name, lines: lines, latency: latency)
    }

    private func time(_ name: String, arguments: (Int) -> [String]) throws -> ReadResult {
        try time(
            name,
            running: { index in
                let arguments = arguments(index)
                let process = try ChildProcess(programs.tradeExecutor, arguments)
                var lines = 0
                while try process.readLine(milliseconds: 120_000) != nil { lines += 1 }
                let code = process.waitUntilExit()
                guard code == 0 else {
                    throw BenchmarkFailure(
                        "trade-executor \(arguments.joined(separator: " ")): exit code \(code ?? -1)")
                }
                return lines
            })
    }

    private func timeReplay() throws -> ReadResult {
        let broker = try BrokerProcess(program: programs.benchmark, delayMilliseconds: 0)
        defer { broker.stop() }
        let worker = try WorkerUnderTest(
            .tradeExecutor, programs, stateDirectory: stateDirectory, brokerURL: broker.url)
        let last = try DatabaseFile.read(StateDirectory.databasePath(in: stateDirectory)) {
            try Int64.fetchOne($0, sql: "SELECT max(seq) FROM outcomes") ?? 0
        }
        let context = try ZeroMQContext()
        let dealer = try ZeroMQSocket(.dealer, in: context)
        try dealer.setLinger(0)
        try dealer.setReceiveTimeout(10_000)
        try dealer.connect(worker.intake)
        let result = try time(
            ReadCommands.replay,
            running: { _ in
                var writer = JSONWriter()
                writer.object { writer in
                    writer.member("v", 1)
                    writer.member("type", "replay")
                    writer.member("after", Int64.random(in: 0...max(0, last - 500)))
                    writer.member("limit", 500)
                }
                _ = try dealer.send([writer.bytes])
                guard let answer = try dealer.receiveMessage(wait: true)?.last?.bytes else {
                    throw BenchmarkFailure("the worker did not answer a replay request")
                }
                return answer.isEmpty ? 0 : 1
            })
        try worker.stop()
        return result
    }
}
