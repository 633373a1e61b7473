import HostSystem
import MonitorStore
import Monitoring
import StrictJSON
import TradeRecords
import TradingCore

/// What is answered to whom. Nothing here changes anything.
struct Answers: Sendable {
    let state: Locked<MonitoredState>
    let store: MonitorStore
    let hosts: AllowedHosts
    /// State directories on this machine, by partition.
    let stateDirectories: [String: String]
    private let clock = SystemClock()
    private let charts = Locked<[Chart: DrawnChart]>([:])

    /// What a chart shows.
    private struct Chart: Hashable {
        let minutes: Int64
        let partition: String?
        let strategy: String?
    }

    private struct DrawnChart {
        let answer: Answer
        let drawnAt: MonotonicTime
    }

    /// A chart is so old at most. A wide one takes long to draw, and every open page asks for it.
    private static let chartAgeMax = Microseconds.seconds(10)
    private static let chartsMax = 100

    init(
        state: Locked<MonitoredState>, store: MonitorStore, hosts: AllowedHosts, stateDirectories: [String: String]
    ) {
        self.state = state
        self.store = store
        self.hosts = hosts
        self.stateDirectories = stateDirectories
    }

    /// What is asked for.
    struct Question: Sendable {
        let method: String
        let host: String?
        let path: String
        let query: [(name: String, value: String)]

        func value(_ name: String) -> String? {
            query.first { $0.name == name }?.value
        }
    }

    func answer(_ question: Question) -> Answer {
        guard hosts.allow(question.host) else {
            return .refusal(
                421, "This monitor is not called so. Ask by address, or start it with --host-name for this name.")
        }
        guard question.method == "GET" || question.method == "HEAD" else {
            return .refusal(405, "This monitor can only be read.")
        }
        do {
            return try content(question)
        } catch let error as BadQuestion {
            return .refusal(400, error.description)
        } catch {
            return .refusal(503, "\(error)")
        }
    }

    private func content(_ question: Question) throws -> Answer {
        switch question.path {
        case "/": return Answer(200, .html, PageFiles.html)
        case "/monitor.css": return Answer(200, .style, PageFiles.style)
        case "/monitor.js": return Answer(200, .script, PageFiles.script)
        case "/icon.svg", "/favicon.ico": return Answer(200, .icon, PageFiles.icon)
        case "/healthz": return health()
        case "/metrics": return try metrics()
        case "/api/state": return try stateNow()
        case "/api/outcomes": return try outcomes(question)
        case "/api/open": return try openDecisions(question)
        case "/api/history": return try history(question)
        case "/api/failures": return try failures(question)
        case "/api/decision": return try decision(question)
        default: return .refusal(404, "There is no such page.")
        }
    }

    // MARK: For machines

    private func health() -> Answer {
        let (state, now) = (state.withLock(\.self), clock.monotonic())
        return Answer(state.isHealthy(at: now) ? 200 : 503, .json, state.healthJSON(at: now))
    }

    private func metrics() throws -> Answer {
        let memory = try ResidentMemory().bytes()
        let text = MetricsText(state.withLock(\.self), at: clock.monotonic(), residentBytes: memory).text
        return Answer(200, .metrics, Array(text.utf8))
    }

    // MARK: For the page

    /// Over so many minutes a strategy's recent figures are taken.
    private static let recentMinutes: Int64 = 15

    private func stateNow() throws -> Answer {
        let now = clock.now()
        let since = Minute(number: Minute(of: now).number - Answers.recentMinutes + 1)
        let recent = try store.recent(since: since)
        return .json(state.withLock(\.self).json(at: clock.monotonic(), now, recent: recent))
    }

    private func outcomes(_ question: Question) throws -> Answer {
        var filter = OutcomeFilter()
        filter.since = try question.number("since", 0...Int64.max)
        filter.before = try question.number("before", 1...Int64.max)
        filter.partition = try question.text("partition")
        filter.strategy = try question.text("strategy")
        filter.symbol = try question.text("symbol")
        filter.decision = try question.text("decision")
        filter.result = try question.result("result")
        filter.limit = Int(try question.number("limit", 1...500) ?? 100)
        let page = try store.outcomes(filter)
        var writer = JSONWriter(reserving: 65_536)
        writer.object { writer in
            writer.member("last", page.last)
            writer.member("older_before", page.olderBefore)
            writer.key("outcomes")
            writer.array { writer in
                for outcome in page.outcomes { outcome.write(to: &writer) }
            }
        }
        return .json(writer.bytes)
    }

    private func openDecisions(_ question: Question) throws -> Answer {
        guard let result = try question.result("result"), result == .unknown || result == .pending else {
            throw BadQuestion("result must be unknown or pending")
        }
        let limit = Int(try question.number("limit", 1...500) ?? 100)
        let outcomes = try store.openDecisions(result, limit: limit)
        var writer = JSONWriter(reserving: 16_384)
        writer.object { writer in
            writer.key("outcomes")
            writer.array { writer in
                for outcome in outcomes { outcome.write(to: &writer) }
            }
        }
        return .json(writer.bytes)
    }

    private func history(_ question: Question) throws -> Answer {
        let chart = Chart(
            minutes: try question.number("minutes", 1...10_080) ?? 60, partition: try question.text("partition"),
            strategy: try question.text("strategy"))
        let now = clock.monotonic()
        if let drawn = charts.withLock({ $0[chart] }), now - drawn.drawnAt < Answers.chartAgeMax { return drawn.answer }
        let answer = try draw(chart)
        charts.withLock { charts in
            charts = charts.filter { now - $0.value.drawnAt < Answers.chartAgeMax }
            if charts.count == Answers.chartsMax { charts = [:] }
            charts[chart] = DrawnChart(answer: answer, drawnAt: clock.monotonic())
        }
        return answer
    }

    private func draw(_ chart: Chart) throws -> Answer {
        let minutes = chart.minutes
        // At most some 120 stretches.
        let step = max(1, minutes / 120)
        let last = Minute(of: clock.now()).number
        let first = (last - minutes + 1) / step * step
        let periods = try store.history(
            since: Minute(number: first), step: step, partition: chart.partition, strategy: chart.strategy)
        var writer = JSONWriter(reserving: 16_384)
        writer.object { writer in
            writer.member("first_minute", first)
            writer.member("last_minute", last / step * step)
            writer.member("step_minutes", step)
            writer.key("periods")
            writer.array { writer in
                for (start, tally) in periods {
                    writer.object { writer in
                        writer.member("minute", start.number)
                        tally.writeMembers(to: &writer)
                    }
                }
            }
        }
        return .json(writer.bytes)
    }

    private func failures(_ question: Question) throws -> Answer {
        let limit = Int(try question.number("limit", 1...500) ?? 50)
        let rows = try store.failures(
            partition: try question.text("partition"), strategy: try question.text("strategy"), limit: limit)
        var writer = JSONWriter(reserving: 16_384)
        writer.object { writer in
            writer.key("failures")
            writer.array { writer in
                for row in rows {
                    writer.object { writer in
                        writer.member("message", row.message)
                        writer.member("http_status_code", row.httpStatusCode)
                        writer.member("count", row.count)
                        writer.member("strategies", row.strategies)
                        writer.member("last_at", row.lastAt)
                        writer.member("last_partition", row.lastPartition)
                        writer.member("last_strategy_name", row.lastStrategy)
                        writer.member("last_decision_id", row.lastDecisionID)
                    }
                }
            }
        }
        return .json(writer.bytes)
    }

    // MARK: A decision's story

    /// More than this of a worker's records is not shown; `trade-executor show` does.
    private static let recordsBytesMax = 1 << 20

    private func decision(_ question: Question) throws -> Answer {
        guard let strategy = try question.text("strategy"), let id = try question.text("decision") else {
            throw BadQuestion("strategy and decision are needed")
        }
        let partition = try question.text("partition")
        let story = try store.story(partition: partition, strategy: strategy, decisionID: id)
        let records = partition.flatMap { stateDirectories[$0] }.map { recorded("\(strategy):\(id)", in: $0) }
        var writer = JSONWriter(reserving: 16_384)
        writer.object { writer in
            writer.member("partition", partition)
            writer.member("strategy_name", strategy)
            writer.member("decision_id", id)
            writer.key("outcomes")
            writer.array { writer in
                for outcome in story { outcome.write(to: &writer) }
            }
            writer.key("records")
            switch records {
            case .success(let json)?: writer.raw(json)
            case .failure?, nil: writer.null()
            }
            var fault: String?
            if case .failure(let failure)? = records { fault = failure.description }
            writer.member("records_fault", fault)
        }
        return .json(writer.bytes)
    }

    /// What the worker's own database has of a decision: request, answer, look-ups, order.
    private func recorded(_ name: String, in directory: String) -> Result<[UInt8], Failure> {
        do {
            let records = try TradeRecords(path: StateDirectory.databasePath(in: directory))
            guard let context = try records.fullContexts(of: name).last else {
                return .failure(Failure("the worker's database has no such decision"))
            }
            var writer = JSONWriter(reserving: 16_384)
            context.write(to: &writer)
            guard writer.bytes.count <= Answers.recordsBytesMax else {
                return .failure(Failure("there is too much of it to show here; `trade-executor show \(name)` does"))
            }
            return .success(writer.bytes)
        } catch {
            return .failure(Failure("\(error)"))
        }
    }
}

extension StoredOutcome {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("partition", partition)
            writer.member("received_at", receivedAt)
            writer.key("outcome")
            writer.raw(body.utf8)
        }
    }
}

/// A question that makes no sense.
struct BadQuestion: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension Answers.Question {
    /// A text; nil where it is not given or empty.
    fileprivate func text(_ name: String) throws -> String? {
        guard let text = value(name), !text.isEmpty else { return nil }
        guard text.utf8.count <= 200 else { throw BadQuestion("\(name) is too long") }
        return text
    }

    fileprivate func number(_ name: String, _ range: ClosedRange<Int64>) throws -> Int64? {
        guard let text = try text(name) else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw BadQuestion("\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    fileprivate func result(_ name: String) throws -> OutcomeResult? {
        guard let text = try text(name) else { return nil }
        guard let result = OutcomeResult(rawValue: text) else {
            throw BadQuestion(
                "\(name) must be one of \(OutcomeResult.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return result
    }
}
