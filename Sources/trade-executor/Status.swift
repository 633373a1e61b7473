import ArgumentParser
import StrictJSON
import TradeWorker

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows how a worker is, running or stopped.",
        discussion: """
            Looks at the state directory, and asks the worker over its intake where one runs. A stopped worker is no \
            error of this command; with --check it is.
            With --watch it looks again and again until Ctrl-C, with rates and a row for each strategy: in place on a \
            terminal, else one block after the other. A worker that stops or comes back is shown as such; what the \
            database says is shown either way.
            """)

    @Flag(help: "Exit 1 unless the worker runs, answers, can store, and is not halted as a whole. For probes.")
    var check = false

    @Option(
        defaultAsFlag: 2.0,
        help: ArgumentHelp("Look again every so many seconds, from 0.1 to 3600.", valueName: "seconds"))
    var watch: Double?

    @Flag(help: "One JSON object; with --watch one a line.")
    var json = false

    @Option(name: [.customLong("color"), .customLong("colour")], help: ColourChoice.help)
    var colour = ColourChoice.auto

    @Option(help: SettingsOptions.help(.intake)) var intake: String?

    @OptionGroup var keys: ClientKeyOptions

    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard let watch else { return }
        guard !check else { throw ValidationError("--check looks once; without --watch") }
        guard (0.1...3600).contains(watch) else { throw ValidationError("--watch must be from 0.1 to 3600 seconds") }
    }

    func run() throws {
        var flags = keys.flags
        flags[.intake] = intake
        let worker = try place.place(flags)
        if let watch {
            return try StandardOutput.print { output in
                try StatusWatch(worker, every: watch, json: json, colours: Colours(colour, on: output), output).run()
            }
        }
        let report = try StatusReport(place: worker)
        try StandardOutput.print { output in
            if json {
                var writer = JSONWriter(reserving: 2048)
                report.write(to: &writer)
                try output.line(writer.bytes)
            } else {
                let colours = Colours(colour, on: output)
                for field in StatusText.fields(report) { try output.line(field.line(colours)) }
            }
        }
        if check, let problem = report.problem { throw Failure(problem) }
    }
}
