import ArgumentParser
import StrictJSON
import WorkerClient
import ZeroMQMessaging

struct Outcomes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follows the outcome topic, without missing any.",
        discussion: """
            Every outcome is printed once and in order: what does not come live is asked for again. Begins with what \
            comes next, or with --from at a number. Ends with Ctrl-C.
            """)

    @Option(name: [.customLong("from")], help: "Begin with this number: strategy_seq with --strategy, else seq.")
    var first: Int64?

    @Option(help: "Only this strategy.") var strategy: String?
    @Flag(help: "One JSON object a line, as published.") var json = false
    @OptionGroup var endpoints: EndpointOptions

    func run() throws {
        let worker = try endpoints.endpoints()
        do {
            let context = try ZeroMQContext()
            let follower = try OutcomeFollower(
                outcomes: worker.outcomes, intake: worker.intake, keys: worker.keys, strategy: strategy,
                after: first.map { max(0, $0 - 1) }, in: context)
            try StandardOutput.print { output in try follow(follower, output, worker) }
        } catch let error as ZeroMQError {
            throw Failure("\(error)")
        }
    }

    private func follow(_ follower: OutcomeFollower, _ output: StandardOutput, _ worker: Endpoints) throws {
        var silentSeconds = 0
        while true {
            guard let event = try follower.next(milliseconds: 1000) else {
                silentSeconds += 1
                // A worker says something every second.
                if silentSeconds == 5 {
                    StandardError.line("nothing heard from \(worker.outcomes) for 5 s; \(worker.advice)")
                }
                continue
            }
            if silentSeconds >= 5 { StandardError.line("heard again") }
            silentSeconds = 0
            switch event {
            case .outcome(let outcome): try output.line(json ? outcome.text : OutcomeText.line(outcome))
            case .heartbeat: break
            case .gap(let after): if !json { StandardError.line("asking for the outcomes after \(after)") }
            case .newStream(let stream):
                StandardError.line("the worker has another database now (stream \(stream)); its outcomes count from 1")
            }
            try output.flush()
        }
    }
}
