import ArgumentParser
import Glibc
import HostSystem
import StrictJSON
import TradeSimulation
import TradingCore

@main
struct TradeSimulationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trade-simulation",
        abstract: "Runs the worker's whole logic in simulated worlds, one for each seed, and checks what must hold.",
        discussion: """
            Broker, disk, sockets and clocks are simulated and fail as the seed draws it; the worker and its database \
            code are the real ones. A seed repeats everything. Exit code 1: something did not hold; it says what, and \
            the command that shows it again.
            """)

    @Option(help: "Run this one seed.")
    var seed: UInt64?

    @Option(help: "Run so many seeds.")
    var seeds: UInt64 = 1000

    @Option(help: "The first of them; drawn at random unless said.")
    var first: UInt64?

    @Option(help: "How many decisions the strategies of each seed make.")
    var decisions = 100

    @Option(help: "Stop after so many seconds, however many seeds are left.")
    var seconds: Int?

    @Option(help: "How many processes share the seeds.")
    var jobs: UInt64 = 2

    @Option(
        help: "Plant a bug that must be found: \(PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")).")
    var plant: PlantedBug?

    @Flag(help: "Print everything that happens.")
    var trace = false

    @Flag(help: .hidden)
    var child = false

    func validate() throws {
        guard decisions > 0, seeds > 0, jobs > 0 else { throw ValidationError("counts must be 1 or more") }
    }

    func run() throws {
        // Sets and dictionaries are walked in an order that differs from process to process unless this is set.
        guard ProcessEnvironment.all()["SWIFT_DETERMINISTIC_HASHING"] != nil else { return try runAgain() }
        if let seed { return try show(seed) }
        let first = first ?? UInt64.random(in: 1...1_000_000_000)
        if child { return try simulate(first..<(first + seeds)) }
        try share(first)
    }

    /// Becomes the same program with hashing that repeats.
    private func runAgain() throws {
        setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv("/proc/self/exe", &arguments)
        throw ValidationError("starting again failed: \(String(cString: strerror(errno)))")
    }

    // MARK: One seed

    private func show(_ seed: UInt64) throws {
        let (figures, violation) = run(seed, trace: trace ? { print($0) } : nil)
        for line in figures.lines { print(line) }
        if let violation {
            print("VIOLATION \(violation)")
            throw ExitCode(1)
        }
    }

    private func run(_ seed: UInt64, trace: ((String) -> Void)? = nil) -> (figures: Figures, violation: Violation?) {
        Simulation.repeatEverything(of: seed)
        return Simulation(seed: seed, decisions: decisions, bug: plant, trace: trace).run()
    }

    // MARK: Many seeds

    /// Runs seeds one after the other, and prints a line of figures for each.
    private func simulate(_ seeds: Range<UInt64>) throws {
        for seed in seeds {
            let (figures, violation) = run(seed)
            if let violation {
                print("violation \(seed) \(violation)")
                fflush(nil)
                throw ExitCode(1)
            }
            print(figures.json.text)
            fflush(nil)
        }
    }

    /// Shares the seeds among processes, tells how it goes, and sums up.
    private func share(_ first: UInt64) throws {
        let clock = SystemClock()
        let began = clock.monotonic()
        let end = began + .seconds(Int64(seconds ?? 86_400 * 365))
        var running: [(process: ChildProcess, isOver: Bool)] = []
        let each = (seeds + jobs - 1) / jobs
        for job in 0..<min(jobs, seeds) {
            var arguments = [
                "--child", "--first", "\(first + job * each)", "--seeds", "\(min(each, seeds - job * each))",
                "--decisions", "\(decisions)",
            ]
            if let plant { arguments += ["--plant", plant.rawValue] }
            running.append((try ChildProcess("/proc/self/exe", arguments), false))
        }
        defer { for (process, _) in running { process.send(.kill) } }
        var sum = Figures()
        var told = began
        while running.contains(where: { !$0.isOver }), clock.monotonic() < end {
            for index in running.indices where !running[index].isOver {
                guard let line = try running[index].process.readLine(milliseconds: 100) else {
                    if !running[index].process.isRunning { running[index].isOver = true }
                    continue
                }
                if line.hasPrefix("violation ") { try fail(line) }
                guard let figures = try Figures(json: JSONValue(parsing: Array(line.utf8))) else {
                    throw ValidationError("a process printed \(line)")
                }
                sum = sum + figures
            }
            if clock.monotonic() - told > .seconds(10) {
                told = clock.monotonic()
                print("\((told - began).count / 1_000_000) s: \(sum.seeds) seeds, \(sum.accepted) decisions, all well")
                fflush(nil)
            }
        }
        guard sum.seeds == seeds || seconds != nil && sum.seeds > 0 else {
            throw ValidationError("\(seeds - UInt64(sum.seeds)) seeds were not run: a process has ended")
        }
        for line in sum.lines { print(line) }
        print("everything held, from seed \(first) on")
    }

    private func fail(_ line: String) throws {
        let parts = line.split(separator: " ", maxSplits: 2)
        let plants = plant.map { " --plant \($0.rawValue)" } ?? ""
        print("VIOLATION with seed \(parts[1]): \(parts[2])")
        print("show it again: bash deploy/simulate.sh --seed \(parts[1]) --decisions \(decisions)\(plants) --trace")
        throw ExitCode(1)
    }
}

extension PlantedBug: ExpressibleByArgument {}
