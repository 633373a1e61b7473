import ArgumentParser
import Benchmarking

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Measures everything, or the parts that are chosen, and prints tables.",
        discussion: """
            The workers run in turn within each round, each on free ports, with a broker of their own and a fresh \
            database, or a seeded one that is used in place. Exit code 1: a run lost, doubled or reordered something; \
            the report says what.
            """)

    @Option(help: "Parts, separated by commas: floor, runs, synchronisations, reads.")
    var parts = "floor,runs,synchronisations,reads"

    @Option(help: "Scenarios, separated by commas: backlog, closed-loop, open-loop, slow-broker.")
    var scenarios = "backlog,closed-loop,open-loop,slow-broker"

    @Option(help: "Workers, separated by commas: trade-executor, python.")
    var workers = "trade-executor,python"

    @Option(
        help: "How many decisions of a backlog: 2000, or 500 with --quick; the closed loop takes a quarter of them.")
    var trades: Int?

    @Option(help: "How long runs of the open loop and with the slow broker last, in seconds: 5, or 1 with --quick.")
    var seconds: Double?

    @Option(help: "How often each worker runs under each condition: 3, or 1 with --quick.")
    var rounds: Int?

    @Option(help: "The closed loop's window: how many decisions may be without an outcome.")
    var window = 1

    @Option(help: "The open loop's rate, in decisions a second.")
    var rate = 100.0

    @Option(help: "How long the slow broker thinks about an order, in milliseconds.")
    var brokerDelayMs = 20

    @Option(
        help:
            "How many executions are in the database already, separated by commas: 0,100000,1000000, or 0,10000 with --quick."
    )
    var seeded: String?

    @Option(name: .customLong("directory"), help: LocationArgument.help)
    var locations: [LocationArgument] = []

    @Option(help: "Write every result to this file, as one JSON object a line.")
    var json: String?

    @Flag(help: "One short round and 10,000 seeded executions, in about a minute: to see that it works.")
    var quick = false

    @Flag(help: "Leave the seeded databases for the next time.")
    var keep = false

    @OptionGroup var options: ProgramOptions

    func validate() throws {
        guard rate > 0, window > 0, brokerDelayMs > 0, trades ?? 1 > 0, rounds ?? 1 > 0, seconds ?? 1 > 0 else {
            throw ValidationError("counts must be 1 or more")
        }
    }

    func run() throws {
        Progress.begin()
        let benchmark = Benchmark(
            programs: try options.programs(), parts: try list(parts, Benchmark.Part.init), scenarios: try chosen(),
            workers: try list(workers, BenchmarkedWorker.init), rounds: rounds ?? (quick ? 1 : 3),
            seeded: try list(seeded ?? (quick ? "0,10000" : "0,100000,1000000")) { Int($0) },
            directories: (locations.isEmpty ? LocationArgument.standard : locations).map(\.directory),
            floorSeconds: quick ? 0.5 : 2, readSeconds: quick ? 0.2 : 2, tracedDecisions: quick ? 100 : 500,
            keepsSeeded: keep)
        guard try benchmark.run(output: try ResultFile(json), progress: Progress.tell) else { throw ExitCode(1) }
    }

    private func chosen() throws -> [Scenario] {
        let trades = trades ?? (quick ? 500 : 2000)
        let seconds = seconds ?? (quick ? 1 : 5)
        let all = [
            Scenario(name: "backlog", count: trades, shape: .backlog),
            Scenario(name: "closed-loop", count: max(trades / 4, 1), shape: .closedLoop(window: window)),
            Scenario(
                name: "open-loop", count: max(Int(rate * seconds), 1), shape: .openLoop(perSecond: rate)),
            Scenario(
                name: "slow-broker", count: max(Int(seconds * 1000) / brokerDelayMs, 1),
                shape: .closedLoop(window: max(window, 4)), brokerDelayMilliseconds: brokerDelayMs),
        ]
        return try list(scenarios) { name in all.first { $0.name == name } }
    }

    private func list<Value>(_ text: String, _ read: (String) -> Value?) throws -> [Value] {
        try text.split(separator: ",").map { word in
            guard let value = read(String(word)) else { throw ValidationError("\(word) is not one of the choices") }
            return value
        }
    }
}
