import Glibc
import HostSystem
import StrictJSON
import TradingCore
import WorkerClient
import ZeroMQMessaging

/// The demo itself: the strategies send, and what comes back is shown and counted.
struct DemoPlay {
    /// One sample strategy: one decision in flight, the next after a while.
    private struct Strategy {
        let name: String
        let lines: [DemoScript.Line]
        let client: IntakeClient
        var sent = 0
        var nextAt: MonotonicTime
        var awaitsAck = false
    }

    private struct Times {
        var sent: MonotonicTime
        var acknowledged: MonotonicTime?
        var answered: MonotonicTime?
    }

    private let stage: DemoStage
    private let clock = SystemClock()
    private let context: ZeroMQContext
    private let follower: OutcomeFollower
    private var strategies: [Strategy] = []
    private var times: [String: Times] = [:]
    private var latest: [String: JSONValue] = [:]
    private var refusals: [String: String] = [:]
    private var outcomeCount = 0

    /// How long after the last decision the orders still under way are waited for.
    private static let patience = Microseconds.seconds(15)

    init(_ stage: DemoStage) throws {
        self.stage = stage
        context = try ZeroMQContext()
        follower = try OutcomeFollower(
            outcomes: stage.outcomes, intake: stage.intake, strategy: nil, after: 0, in: context)
        let now = clock.monotonic()
        for (name, lines) in DemoScript.strategies {
            strategies.append(
                Strategy(
                    name: name, lines: lines, client: try IntakeClient(stage.intake, in: context),
                    nextAt: now + .milliseconds(lines.first?.afterMilliseconds ?? 0)))
        }
    }

    mutating func perform() throws {
        print("simulator  \(stage.simulatorURL)")
        print("worker     \(stage.intake) (decisions), \(stage.outcomes) (outcomes)")
        print("state      \(stage.stateDirectory)\n")
        print(
            OutcomeText.columns([
                ("time (UTC)", 12), ("strategy", 12), ("decision", 16), ("order", 26), ("status", 12), ("result", 8),
                ("", 0),
            ]))
        for (path, body) in DemoScript.directions { try stage.direct(path, body) }
        var quietSince: MonotonicTime?
        while !stage.mustEnd() {
            for index in strategies.indices { try letAct(index) }
            if let event = try follower.next(milliseconds: 2) { take(event) }
            fflush(nil)
            let now = clock.monotonic()
            guard strategies.allSatisfy({ !$0.awaitsAck && $0.sent == $0.lines.count }) else { continue }
            let since = quietSince ?? now
            quietSince = since
            if onlyRestingOrdersAreLeft || now - since > DemoPlay.patience { break }
        }
    }

    private mutating func letAct(_ index: Int) throws {
        let now = clock.monotonic()
        if strategies[index].awaitsAck, let ack = try strategies[index].client.receive(milliseconds: 0) {
            strategies[index].awaitsAck = false
            take(ack: ack, at: now)
        }
        let strategy = strategies[index]
        guard !strategy.awaitsAck, strategy.sent < strategy.lines.count, now >= strategy.nextAt else { return }
        let number = strategy.sent + 1
        let id = number < 10 ? "d-0\(number)" : "d-\(number)"
        let body =
            "{\"v\":1,\"decision_id\":\"\(id)\",\"strategy_name\":\"\(strategy.name)\","
            + strategy.lines[strategy.sent].members + "}"
        try strategy.client.send(Array(body.utf8))
        times["\(strategy.name):\(id)"] = Times(sent: now)
        strategies[index].sent += 1
        strategies[index].awaitsAck = true
        if number < strategy.lines.count {
            strategies[index].nextAt = now + .milliseconds(strategy.lines[number].afterMilliseconds)
        }
    }

    private mutating func take(ack: JSONValue, at now: MonotonicTime) {
        let name = "\(ack["strategy_name"]?.string ?? "?"):\(ack["decision_id"]?.string ?? "?")"
        times[name]?.acknowledged = now
        guard ack["status"] == "refused" else { return }
        refusals[name] = ack["code"]?.string ?? "?"
        print(
            OutcomeText.columns([
                (String(clock.now().text.dropFirst(11).prefix(12)), 12), (ack["strategy_name"]?.string ?? "?", 12),
                (ack["decision_id"]?.string ?? "?", 16), ("", 26), ("not taken", 12), ("", 8),
                ("\(ack["code"]?.string ?? ""): \(ack["message"]?.string ?? "")", 0),
            ]))
    }

    private mutating func take(_ event: OutcomeFollower.Event) {
        guard case .outcome(let outcome) = event else { return }
        outcomeCount += 1
        let name = "\(outcome["strategy_name"]?.string ?? "?"):\(outcome["decision_id"]?.string ?? "?")"
        if times[name]?.answered == nil { times[name]?.answered = clock.monotonic() }
        latest[name] = outcome
        print(OutcomeText.line(outcome))
    }

    /// Whether every order has ended but those that wait for a price.
    private var onlyRestingOrdersAreLeft: Bool {
        let accepted = times.keys.filter { refusals[$0] == nil }
        return accepted.allSatisfy { name in
            guard let outcome = latest[name] else { return false }
            if outcome["final"] == true { return true }
            return outcome["result"] == "pending" && outcome["execution"]?["order_status"] == "new"
                && isResting(name)
        }
    }

    private func isResting(_ name: String) -> Bool {
        guard let strategy = strategies.first(where: { name.hasPrefix($0.name + ":") }),
            let number = Int(name.split(separator: "-").last ?? "")
        else { return false }
        return strategy.lines[number - 1].members.contains("_price\"")
    }

    // MARK: Summary

    func summarise() {
        var counts: [String: Int] = [:]
        for outcome in latest.values { counts[outcome["result"]?.string ?? "?", default: 0] += 1 }
        print("\n\(times.count) decisions, \(outcomeCount) outcomes")
        for result in OutcomeResult.allCases {
            if let count = counts[result.rawValue] {
                print(OutcomeText.columns([("  " + result.rawValue, 12), ("\(count)", 4), (meaning(result), 0)]))
            }
        }
        if !refusals.isEmpty {
            let codes = refusals.values.sorted().joined(separator: ", ")
            print(
                OutcomeText.columns([
                    ("  not taken", 12), ("\(refusals.count)", 4), ("refused at the intake: \(codes)", 0),
                ]))
        }
        print("\n" + OutcomeText.columns([("latency in ms", 28), ("median", 8), ("p95", 8), ("worst", 8)]))
        printLatency("decision to acknowledgement") { $0.acknowledged }
        printLatency("decision to broker's answer") { $0.answered }
        let lost = latest.first { $0.value["symbol"] == "NVDA" }?.key ?? "breakout:d-04"
        let directory = "--state-dir \(stage.stateDirectory)"
        print(
            """

            Look further:
              \(stage.program) executions \(directory)
              \(stage.program) failures \(directory)
              \(stage.program) show \(lost) \(directory)      # its answer was lost and found again
              \(stage.program) status \(directory)
            """)
    }

    private func meaning(_ result: OutcomeResult) -> String {
        switch result {
        case .pending: "resting at the broker, followed until they end"
        case .success: "all filled"
        case .partial: "ended with some filled"
        case .failed: "refused by the broker, or ended with nothing filled"
        case .unknown: "the answer was lost; being looked for"
        }
    }

    private func printLatency(_ title: String, _ end: (Times) -> MonotonicTime?) {
        let durations = times.values.compactMap { times in end(times).map { $0 - times.sent } }.sorted()
        guard let worst = durations.last else { return }
        func milliseconds(_ duration: Microseconds) -> String {
            "\(duration.count / 1000).\(duration.count % 1000 / 100)"
        }
        print(
            OutcomeText.columns([
                (title, 28), (milliseconds(durations[durations.count / 2]), 8),
                (milliseconds(durations[durations.count * 95 / 100]), 8), (milliseconds(worst), 8),
            ]))
    }
}
