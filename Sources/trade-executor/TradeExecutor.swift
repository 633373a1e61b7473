import ArgumentParser
import HostSystem

/// The command line.
@main
struct TradeExecutor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trade-executor",
        abstract: "Executes trade decisions from ZeroMQ at Alpaca: in order, one attempt each, everything on record.",
        discussion: """
            Start with `trade-executor demo`: it needs no account.
            Exit codes: 0 fine, 1 it failed (standard error says what and what to do), 64 wrong usage, 74 the database \
            is broken (not merely full or locked), so that starting again does not help.
            """,
        subcommands: [
            Run.self, Demo.self, Submit.self, Outcomes.self, Executions.self, Failures.self, Show.self, Status.self,
            HaltCommand.self, Resume.self, Reconcile.self, Keys.self, Partitions.self, Check.self, BackupCommand.self,
            RestoreCommand.self, ArchiveCommand.self, ConformanceCommand.self,
        ])

    static func main() {
        // Whatever the command, its environment may hold the account's secret.
        do {
            try ProcessDescriptors.fillStandard()
            try ProcessPrivacy.begin()
        } catch {
            exit(withError: Failure("\(error)"))
        }
        main(nil)
    }
}
