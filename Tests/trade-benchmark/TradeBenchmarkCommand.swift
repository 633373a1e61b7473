import ArgumentParser

@main
struct TradeBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trade-benchmark",
        abstract: "Measures trade-executor, side by side with a worker written in Python and with bare pieces.",
        discussion: "What each figure means, and what can bend it: deploy/performance.md.",
        subcommands: [
            RunCommand.self, SeedCommand.self, ReadsCommand.self, FloorCommand.self, BrokerCommand.self,
            EchoCommand.self,
        ],
        defaultSubcommand: RunCommand.self)
}
