import ArgumentParser
import HostSystem
import StrictJSON
import TradingCore
import WorkerClient
import ZeroMQMessaging

struct Outcomes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follows the outcome topic, without missing any.",
        discussion: """
            Every outcome is printed once and in order: what does not come live is asked for again, which standard error \
            tells. Begins with what comes next, or with --from at a number. Ends with Ctrl-C, or when nobody reads it.
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
        let worker = try endpoints.endpoints()
        do {
            let context = try ZeroMQContext()
            let follower = try OutcomeFollower(
                outcomes: worker.outcomes, intake: worker.intake, keys: worker.keys, strategy: strategy,
                after: first.map { max(0, $0 - 1) }, in: context)
            try StandardOutput.print { output in
                let view = OutcomeView(output, json: json, colours: Colours(colour, on: output))
                view.setPulse("waiting for \(worker.outcomes)")
                try follow(follower, view, output, worker)
            }
        } catch let error as ZeroMQError {
            throw Failure("\(error)")
        }
    }

    /// After this long without a word the worker is said to be silent: it says something every second.
    private static let silence = Microseconds.seconds(5)

    private func follow(
        _ follower: OutcomeFollower, _ view: OutcomeView, _ output: StandardOutput, _ worker: Endpoints
    ) throws {
        let clock = SystemClock()
        var heardAt = clock.monotonic()
        var isSilent = false
        while true {
            try view.flush()
            output.endIfNobodyReads()
            let event = try follower.next(milliseconds: 1000)
            let silence = clock.monotonic() - heardAt
            guard let event else {
                guard silence >= Outcomes.silence else { continue }
                let seconds = silence.count / 1_000_000
                view.setPulse("no heartbeat for \(seconds) s")
                if !isSilent {
                    try view.remark(
                        "no heartbeat for \(seconds) s: worker down, or \(worker.outcomes) cannot be reached; "
                            + worker.advice)
                }
                isSilent = true
                continue
            }
            if isSilent { try view.remark("heartbeats are back after \(silence.count / 1_000_000) s") }
            isSilent = false
            switch event {
            case .outcome(let outcome): if isWanted(outcome) { try view.show(outcome) }
            case .heartbeat(let heartbeat): view.takePulse(heartbeat)
            case .gap(let after):
                try view.remark("outcomes after \(after) have not come live; asking the worker for them")
            case .caughtUp(let count): try view.remark("caught up: \(count) outcomes replayed")
            case .replayUnanswered:
                try view.remark("\(worker.intake) does not tell what was missed; asking again at the next heartbeat")
            case .newStream(let stream):
                try view.remark("the worker has another database now (stream \(stream)); its outcomes count from 1")
            }
            if case .replayUnanswered = event { continue }
            heardAt = clock.monotonic()
        }
    }

    private func isWanted(_ outcome: JSONValue) -> Bool {
        if let symbol, (outcome["symbol"]?.string ?? "mleg") != symbol { return false }
        guard !results.isEmpty else { return true }
        return results.contains { $0.rawValue == outcome["result"]?.string }
    }
}

extension OutcomeResult: ExpressibleByArgument {}
