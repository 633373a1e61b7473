import ArgumentParser
import StrictJSON
import TradeWorker

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows how a worker is, running or stopped.",
        discussion: """
            Looks at the state directory, and asks the worker over its intake where one runs. A stopped worker is no \
            error of this command; with --check it is.
            """)

    @Flag(help: "Exit 1 unless the worker runs, answers, can store, and is not halted as a whole. For probes.")
    var check = false

    @Flag(help: "One JSON object.")
    var json = false

    @Option(help: SettingsOptions.help(.intake)) var intake: String?

    @OptionGroup var keys: ClientKeyOptions

    @OptionGroup var place: PlaceOptions

    func run() throws {
        var flags = keys.flags
        flags[.intake] = intake
        let report = try StatusReport(place: try place.place(flags))
        try StandardOutput.print { output in
            if json {
                var writer = JSONWriter(reserving: 2048)
                report.write(to: &writer)
                try output.line(writer.bytes)
            } else {
                for line in StatusText.lines(report) { try output.line(line) }
            }
        }
        if check, let problem = report.problem { throw Failure(problem) }
    }
}
