import AlpacaSimulator
import ArgumentParser
import Glibc
import TradingCore

/// The simulator as a program: flags in, one line out when it serves, and then it serves until it is told to stop.
@main
struct AlpacaSimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alpaca-simulator",
        abstract: "Answers as Alpaca's Trading API does, without an account.",
        discussion: """
            Prints `ready url=http://127.0.0.1:PORT` once it serves. SIGTERM and SIGINT
            end it with exit code 0. Exit code 1: it cannot serve, and says why in one
            line on standard error. Exit code 64: wrong usage.

            Orders, look-ups, listings, cancel, replace, positions, account, clock,
            assets and FILL activities stand under /v2 as at Alpaca. Orders live as
            recorded ones did: pending_new, then new, then filled after some 150 to
            900 ms (3 ms for notional, fractional and crypto). Limits that are not
            reached rest. Prices stand still until they are moved.

            FAULTS
            What a request under /v2/orders can be struck by, and whether the order is
            recorded then:
              \(AlpacaSimulatorCommand.faultList)

            \(ControlHelp.text)
            """)

    private static let faultList = Fault.allCases
        .map { "\($0.rawValue) (\($0.recordsOrder ? "recorded" : "not recorded"))" }
        .joined(separator: "\n  ")

    enum Market: String, ExpressibleByArgument, CaseIterable {
        case open
        case closed
    }

    @Option(help: "The port; 0 takes any free one.")
    var port: UInt16 = 0

    @Option(help: "The address to listen on, of this machine only: 127.0.0.1 or another that begins with 127.")
    var host = "127.0.0.1"

    @Option(help: "Repeats ids, delays and random faults exactly.")
    var seed: UInt64 = 1

    @Option(help: "Requests per minute before 429 is answered; 0 answers none. Alpaca allows 200.")
    var rateLimit = 0

    @Option(help: "Whether the market is open at the start.")
    var market = Market.open

    @Flag(help: "Lets some 10 % of whole-share orders fill in two parts.")
    var partialFills = false

    @Option(help: "How many of a thousand POSTs are struck by a random fault.")
    var faultPerMille = 0

    @Option(help: "A fault that may strike at random; repeatable. Without it all may.")
    var fault: [String] = []

    @Option(help: "The cash of the account at the start, in dollars.")
    var cash = "100000"

    @Option(help: "Fills whole-share orders after so many milliseconds instead of the recorded 150 to 900.")
    var fillMilliseconds: Int64?

    @Flag(help: "Takes orders that could trade with one of our own, which Alpaca refuses.")
    var allowWashTrades = false

    @Option(help: "The only API key that is taken. Without it any that is not empty.")
    var keyId: String?

    @Option(help: "The only API secret that is taken.")
    var secret: String?

    @Flag(help: "Writes one line for every request answered to standard error.")
    var log = false

    func validate() throws {
        guard host.hasPrefix("127.") else {
            throw ValidationError("--host takes only addresses of this machine, those that begin with 127.")
        }
        guard (0...1000).contains(faultPerMille) else { throw ValidationError("--fault-per-mille is 0 to 1000.") }
        guard fault.isEmpty || faultPerMille > 0 else {
            throw ValidationError("--fault takes effect only with --fault-per-mille.")
        }
        guard rateLimit >= 0 else { throw ValidationError("--rate-limit is 0 or more.") }
        guard (fillMilliseconds ?? 0) >= 0 else { throw ValidationError("--fill-milliseconds is 0 or more.") }
        guard let cash = ExactDecimal(cash), cash.isPositive, cash < ExactDecimal(100_000_000_000), cash.scale <= 2
        else {
            throw ValidationError("--cash is a number of dollars and cents, below a hundred thousand million.")
        }
        for name in fault where Fault(rawValue: name) == nil {
            throw ValidationError("--fault \(name) is unknown. See --help for the names.")
        }
    }

    func run() async throws {
        // Nothing is kept beyond the process, so it may end at once.
        signal(SIGTERM) { _ in _exit(0) }
        signal(SIGINT) { _ in _exit(0) }
        do throws(ServerError) {
            let simulator = try await SimulatedAlpaca.start(port: port, settings: settings())
            AlpacaSimulatorCommand.write("ready url=\(simulator.url)\n", to: STDOUT_FILENO)
            while true { pause() }
        } catch {
            AlpacaSimulatorCommand.write("alpaca-simulator: \(error)\n", to: STDERR_FILENO)
            throw ExitCode(1)
        }
    }

    private func settings() -> SimulatedAlpaca.Settings {
        var settings = SimulatedAlpaca.Settings()
        settings.host = host
        settings.exchange.seed = seed
        settings.exchange.isMarketOpen = market == .open
        settings.exchange.makesPartialFills = partialFills
        settings.exchange.refusesWashTrades = !allowWashTrades
        settings.exchange.cash = ExactDecimal(cash) ?? settings.exchange.cash
        if let fillMilliseconds { settings.exchange.timings = .filling(afterMilliseconds: fillMilliseconds) }
        settings.rateLimit = rateLimit
        settings.keyID = keyId
        settings.secret = secret
        if faultPerMille > 0 {
            let faults = fault.isEmpty ? Fault.allCases : fault.compactMap(Fault.init(rawValue:))
            settings.randomFaults = RandomFaults(seed: seed, perMille: faultPerMille, faults: faults)
        }
        if log { settings.log = { AlpacaSimulatorCommand.write($0 + "\n", to: STDERR_FILENO) } }
        return settings
    }

    /// Writes a line at once, whether a terminal or a pipe is behind it.
    private static func write(_ line: String, to file: Int32) {
        let bytes = Array(line.utf8)
        _ = Glibc.write(file, bytes, bytes.count)
    }
}
