import ArgumentParser
import HostSystem
import TradingCore

struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ends a halt.",
        discussion: """
            A halt of all and the halts of single strategies are separate: ending one leaves the others in force, and \
            this says which those are.
            """)

    @Option(help: "The halt of this strategy; the halt of all unless said.")
    var strategy: StrategyName?

    @OptionGroup var place: PlaceOptions

    func run() throws {
        let scope = strategy.map(Halt.Scope.strategy) ?? .all
        let files = HaltFiles(stateDirectory: try place.existingDirectory())
        let wasHalted: Bool
        let left: [Halt]
        do {
            wasHalted = try files.clear(scope)
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
