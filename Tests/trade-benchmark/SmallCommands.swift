import ArgumentParser
import Benchmarking
import Glibc
import HostSystem

struct SeedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seed",
        abstract: "Makes a state directory whose database has many executions in it.",
        discussion: """
            97 of 100 filled, 2 rejected, 1 accepted and filled later; 500 symbols, 10 strategies, over 30 days. \
            Written by the calls that the worker makes. A million takes some 4 GB.
            """)

    @Argument(help: "How many.") var count: Int
    @Option(help: "The state directory to make; it must not have a database.") var stateDir: String

    func validate() throws {
        guard count > 0 else { throw ValidationError("the count must be 1 or more") }
    }

    func run() throws {
        Progress.begin()
        if let count = try SeededDatabase.count(in: stateDir) {
            throw ValidationError("\(stateDir) has a database with \(count) executions already")
        }
        try SeededDatabase.make(in: stateDir, count: count, now: SystemClock().now()) { done in
            Progress.tell("\(done) of \(count) executions written")
        }
    }
}

struct ReadsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reads",
        abstract: "Times each reading command on a state directory whose worker does not run.")

    @Option(help: "The state directory, as `seed` makes it.") var stateDir: String
    @Option(help: "How long each command is measured, in seconds.") var seconds = 3.0
    @OptionGroup var options: ProgramOptions

    func run() throws {
        Progress.begin()
        let commands = ReadCommands(try options.programs(), stateDirectory: stateDir, seconds: seconds)
        print(ReadReport(try commands.measure { Progress.tell($0) }).text, terminator: "")
    }
}

struct FloorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "floor",
        abstract: "Measures bare pieces: a synchronised write, a commit, an HTTP exchange, a ZeroMQ round trip.")

    @Option(name: .customLong("directory"), help: LocationArgument.help) var locations: [LocationArgument] = []
    @Option(help: "How long each piece is measured, in seconds.") var seconds = 2.0
    @OptionGroup var options: ProgramOptions

    func run() throws {
        Progress.begin()
        let programs = try options.programs()
        var pieces: [FloorPiece] = []
        for location in locations.isEmpty ? LocationArgument.standard : locations {
            defer { Progress.tell("\(location.directory.location): measured") }
            pieces += try DiskFloor.measure(
                in: location.directory.path, called: location.directory.location, seconds: seconds)
        }
        pieces += try NetworkFloor.measure(program: programs.benchmark, seconds: seconds)
        print(FloorReport(pieces).text, terminator: "")
    }
}

/// The other side of the benchmark, in a process of its own.
struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker", abstract: "The broker that fills every order.", shouldDisplay: false)

    @Option(help: "How long it thinks about an order, in milliseconds.") var delayMs: Int64 = 0

    func run() throws {
        let broker = try BenchmarkBroker(delay: delayMs * 1_000_000)
        print("ready port=\(broker.port)")
        fflush(nil)
        try broker.serve()
    }
}

/// The other side of the ZeroMQ round trip.
struct EchoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo", abstract: "Answers ZeroMQ messages.", shouldDisplay: false)

    func run() throws {
        let parent = getppid()
        try NetworkFloor.echo(
            ready: { endpoint in
                print(endpoint)
                fflush(nil)
            }, isWanted: { getppid() == parent })
    }
}
