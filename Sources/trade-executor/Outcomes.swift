import ArgumentParser
import StrictJSON
import WorkerClient
import ZeroMQMessaging

struct Outcomes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follows the outcome topic, without missing any.",
        discussion: """
            Every outcome is printed once and in order: what does not come live is asked for again. Begins with what \
            comes next, or with --from at a number. With --partition-map of the strategy's worker, wherever it moves, or of \
            all workers. Ends with Ctrl-C.
            """)

    @Option(name: [.customLong("from")], help: "Begin with this number: strategy_seq with --strategy, else seq.")
    var first: Int64?

    @Option(help: "Only this strategy.") var strategy: String?
    @Flag(help: "One JSON object a line, as published.") var json = false
    @OptionGroup var endpoints: EndpointOptions

    func run() throws {
        do {
            let context = try ZeroMQContext()
            var sources = try self.sources(context)
            guard first == nil || sources.count == 1 else {
                throw ValidationError("--from counts in one partition; say --strategy, or --intake and --outcomes")
            }
            try StandardOutput.print { output in
                while true {
                    for index in sources.indices {
                        try listen(to: &sources[index], milliseconds: 1000 / sources.count, output)
                        try follow(&sources[index], context)
                    }
                }
            }
        } catch let error as ZeroMQError {
            throw Failure("\(error)")
        }
    }

    /// One worker that is followed.
    private struct Source {
        var worker: Endpoints
        var follower: OutcomeFollower
        /// The last counter that was printed; nil while there is none.
        var last: Int64?
        var silentMilliseconds = 0
        /// How often it was listened to since the partition map was read.
        var listened = 0
    }

    private func sources(_ context: ZeroMQContext) throws -> [Source] {
        let workers =
            strategy == nil ? try endpoints.allEndpoints().map(\.endpoints) : [try endpoints.endpoints(of: strategy)]
        return try workers.map {
            Source(worker: $0, follower: try follower($0, after: first.map { max(0, $0 - 1) }, context))
        }
    }

    private func follower(_ worker: Endpoints, after: Int64?, _ context: ZeroMQContext) throws -> OutcomeFollower {
        try OutcomeFollower(
            outcomes: worker.outcomes, intake: worker.intake, keys: worker.keys, strategy: strategy, after: after,
            in: context)
    }

    /// Goes with a strategy that has moved to another worker: its `strategy_seq` goes on there.
    private func follow(_ source: inout Source, _ context: ZeroMQContext) throws {
        source.listened += 1
        guard strategy != nil, source.listened % 10 == 0, try endpoints.followsMap else { return }
        // A map that cannot be read just now changes nothing.
        guard let worker = try? endpoints.endpoints(of: strategy), worker.outcomes != source.worker.outcomes else {
            return
        }
        StandardError.line("the strategy is served at \(worker.intake) now")
        source = Source(worker: worker, follower: try follower(worker, after: source.last, context), last: source.last)
    }

    private func listen(to source: inout Source, milliseconds: Int, _ output: StandardOutput) throws {
        var event = try source.follower.next(milliseconds: milliseconds)
        if event == nil {
            let before = source.silentMilliseconds
            source.silentMilliseconds += milliseconds
            // A worker says something every second.
            if before < 5000, source.silentMilliseconds >= 5000 {
                StandardError.line(
                    "nothing heard from \(source.worker.outcomes) for 5 s; \(source.worker.advice)")
            }
        }
        while let heard = event {
            if source.silentMilliseconds >= 5000 { StandardError.line("heard again") }
            source.silentMilliseconds = 0
            switch heard {
            case .outcome(let outcome):
                source.last = outcome[strategy == nil ? "seq" : "strategy_seq"]?.integer ?? source.last
                try output.line(json ? outcome.text : OutcomeText.line(outcome))
            case .heartbeat(let beat):
                if source.last == nil, let strategy { source.last = beat["strategies"]?[strategy]?.integer ?? 0 }
            case .gap(let after): if !json { StandardError.line("asking for the outcomes after \(after)") }
            case .newStream(let stream):
                StandardError.line("the worker has another database now (stream \(stream)); its outcomes count from 1")
            }
            event = try source.follower.next(milliseconds: 0)
        }
        try output.flush()
    }
}
