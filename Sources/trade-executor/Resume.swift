import ArgumentParser
import HostSystem
import TradingCore

struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ends a halt.",
        discussion: """
            A halt of all and the halts of single strategies are separate: ending one leaves the others in force, and \
            this says which those are. It is put on record first; where that fails, the halt stays. A halt that the \
            worker has made by itself is one of all, and its counts begin anew.
            """)

    @Option(help: "The halt of this strategy; the halt of all unless said.")
    var strategy: StrategyName?

    @Option(help: "Why, for the record.")
    var reason: String?

    @OptionGroup var place: PlaceOptions

    func run() throws {
        let scope = strategy.map(Halt.Scope.strategy) ?? .all
        let directory = try place.existingDirectory()
        let files = HaltFiles(stateDirectory: directory)
        let wasHalted: Bool
        let left: [Halt]
        do {
            wasHalted = try files.isThere(scope)
            if wasHalted {
                try HaltHistory(stateDirectory: directory).append(
                    HaltEvent(
                        .resumed, scope, reason: reason, by: OperatorName.current(), at: SystemClock().now()))
                _ = try files.clear(scope)
            }
            left = try files.list()
        } catch {
            throw Failure("NOT resumed: \(error)")
        }
        try StandardOutput.print { output in
            let name = HaltText.scope(scope)
            try output.line(wasHalted ? "resumed: \(name)" : "nothing to resume: \(name) had no halt")
            for halt in left {
                try output.line("  still halted: \(HaltText.scope(halt.scope)), \(HaltText.details(halt))")
            }
        }
    }
}
