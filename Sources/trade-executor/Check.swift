import ArgumentParser
import TradeWorker

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks configuration, limits, state directory and account, without trading.",
        discussion: """
            Prints one line for each point. The broker is asked for the account and the clock and nothing else. \
            Exit 1 when a point is wrong. Takes the same settings as `run`.
            """)

    @OptionGroup var settings: SettingsOptions

    func run() throws {
        var points = CheckPoints()
        let configuration = points.checkConfiguration(settings)
        if let configuration {
            points.checkLimits(configuration)
            points.checkPartitionMap(configuration)
        }
        if let place = points.checkPlace(settings) { points.checkStateDirectory(place.stateDirectory) }
        if let configuration {
            points.checkAccess(configuration)
            points.checkBroker(configuration)
        }
        try StandardOutput.print { output in
            for point in points.all { try output.line(point.line) }
        }
        let wrong = points.all.count { $0.verdict == .wrong }
        guard wrong == 0 else {
            throw Failure("\(wrong) of \(points.all.count) points \(wrong == 1 ? "is" : "are") wrong; see above")
        }
    }
}
