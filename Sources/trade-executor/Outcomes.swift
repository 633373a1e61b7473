import ArgumentParser
import StrictJSON
import TradingCore
import ZeroMQMessaging

struct Outcomes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follows the outcome topic, without missing any.",
        discussion: """
            Every outcome is printed once and in order: what does not come live is asked for again, which standard error \
            tells. Begins with what comes next, or with --from at a number. With --partition-map of the strategy's worker, \
            wherever it moves, or of all workers. Ends with Ctrl-C, or when nobody reads it.
            On a terminal the columns fit its width, and the last line tells how the worker is each second. Into a pipe \
            or a file go plain lines.
            """)

    @Option(name: [.customLong("from")], help: "Begin with this number: strategy_seq with --strategy, else seq.")
    var first: Int64?

    @Option(help: "Only this strategy.") var strategy: String?
    @Option(
        name: [.customLong("result")],
        help: "Only this result: pending, success, partial, failed or unknown. Can be given several times.")
    var results: [OutcomeResult] = []
    @Option(help: "Only this symbol; mleg for orders of several legs.") var symbol: String?
    @Flag(help: "One JSON object a line, as published.") var json = false
    @Option(name: [.customLong("color"), .customLong("colour")], help: ColourChoice.help)
    var colour = ColourChoice.auto
    @OptionGroup var endpoints: EndpointOptions

    func run() throws {
        do {
            let context = try ZeroMQContext()
            var workers = try self.workers(context)
            guard first == nil || workers.count == 1 else {
                throw ValidationError("--from counts in one partition; say --strategy, or --intake and --outcomes")
            }
            try StandardOutput.print { output in
                let view = OutcomeView(output, json: json, colours: Colours(colour, on: output))
                view.setPulse("waiting for \(workers.map(\.endpoints.outcomes).joined(separator: ", "))")
                var turns = 0
                while true {
                    for index in workers.indices {
                        try view.flush()
                        output.endIfNobodyReads()
                        try workers[index].listen(milliseconds: 1000 / workers.count, view, showing: isWanted)
                    }
                    turns += 1
                    if turns % 10 == 0 { try followStrategy(&workers[0], view, context) }
                }
            }
        } catch let error as ZeroMQError {
            throw Failure("\(error)")
        }
    }

    private func workers(_ context: ZeroMQContext) throws -> [FollowedWorker] {
        let all =
            strategy == nil ? try endpoints.allEndpoints().map(\.endpoints) : [try endpoints.endpoints(of: strategy)]
        return try all.map {
            try FollowedWorker($0, strategy: strategy, after: first.map { max(0, $0 - 1) }, in: context)
        }
    }

    /// Goes with a strategy that has moved to another worker: its `strategy_seq` goes on there.
    private func followStrategy(
        _ worker: inout FollowedWorker, _ view: OutcomeView, _ context: ZeroMQContext
    ) throws {
        guard strategy != nil, try endpoints.followsMap else { return }
        // A map that cannot be read just now changes nothing.
        guard let place = try? endpoints.endpoints(of: strategy), place.outcomes != worker.endpoints.outcomes else {
            return
        }
        try view.remark("the strategy is served at \(place.intake) now")
        worker = try FollowedWorker(place, strategy: strategy, after: worker.last, in: context)
    }

    private func isWanted(_ outcome: JSONValue) -> Bool {
        if let symbol, (outcome["symbol"]?.string ?? "mleg") != symbol { return false }
        guard !results.isEmpty else { return true }
        return results.contains { $0.rawValue == outcome["result"]?.string }
    }
}

extension OutcomeResult: ExpressibleByArgument {}
