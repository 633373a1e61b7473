import Glibc
import HostSystem
import StrictJSON
import TradeRecords
import TradeWorker
import TradingCore

/// Shows a worker's state again and again.
struct StatusWatch {
    /// What one look has shown.
    struct Look {
        let report: StatusReport
        let strategies: [StrategyCounts]
        let at: MonotonicTime
    }

    private let place: WorkerPlace
    private let seconds: Double
    private let json: Bool
    private let colours: Colours
    private let output: StandardOutput
    private let clock = SystemClock()

    init(_ place: WorkerPlace, every seconds: Double, json: Bool, colours: Colours, _ output: StandardOutput) {
        self.place = place
        self.seconds = seconds
        self.json = json
        self.colours = colours
        self.output = output
    }

    private var isInPlace: Bool { !json && output.obeysCursor }

    /// Runs until a signal ends the program, or nobody reads any more.
    /// - Throws: Where the first look fails: it is then the place that is wrong, and not the worker.
    func run() throws {
        if isInPlace {
            output.leaveTidily()
            output.put("\u{1B}[H\u{1B}[2J")
        }
        var before = try look()
        try show(before, since: nil)
        while true {
            usleep(UInt32(seconds * 1_000_000))
            output.endIfNobodyReads()
            do {
                let now = try look()
                try show(now, since: before)
                before = now
            } catch let failure as Failure {
                try show(failure)
            }
        }
    }

    private func look() throws -> Look {
        let at = clock.monotonic()
        let report = try StatusReport(place: place)
        var strategies: [StrategyCounts] = []
        if case .read = report.database {
            do {
                strategies = try TradeRecords(path: StateDirectory.databasePath(in: place.stateDirectory)).strategies()
            } catch {
                throw Failure("\(error)")
            }
        }
        return Look(report: report, strategies: strategies, at: at)
    }

    // MARK: Showing

    private func show(_ look: Look, since before: Look?) throws {
        let rates = before.flatMap { StatusRates(look, since: $0) }
        guard !json else {
            var writer = JSONWriter(reserving: 4096)
            look.report.write(to: &writer) { writer in
                writer.key("rates")
                if let rates { rates.write(to: &writer) } else { writer.null() }
                writer.key("strategies")
                writer.array { writer in
                    for strategy in look.strategies {
                        strategy.write(to: &writer, rate: rates?.ofStrategies[strategy.name])
                    }
                }
            }
            try output.line(writer.bytes)
            return try output.flush()
        }
        let size = sizeInPlace
        var lines = [heading(look.report.at, width: size?.width)]
        lines += StatusText.fields(look.report).map { $0.line(colours, width: size?.width) }
        lines.append(
            StatusText.Field("rates", rates?.text ?? "from the next look on").line(colours, width: size?.width))
        if !look.strategies.isEmpty {
            lines.append("")
            // The last line stays free: a line feed there would scroll.
            let room = size.map { max(2, $0.height - lines.count - 1) }
            lines += StrategyTable(look, rates, colours).lines(room: room, width: size?.width)
        }
        try show(lines)
    }

    private func show(_ failure: Failure) throws {
        let now = clock.now()
        guard json else {
            let width = sizeInPlace?.width
            let what = StatusText.Field("worker", "cannot be looked at: \(failure)", .red)
            return try show([heading(now, width: width), what.line(colours, width: width)])
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("at", now.text)
            writer.member("ok", false)
            writer.member("problem", failure.description)
        }
        try output.line(writer.bytes)
        try output.flush()
    }

    /// How much of the terminal lines may take. The last column stays free: a cursor behind it may stand on it still, and
    /// would then clear it together with the rest of its line.
    private var sizeInPlace: (width: Int, height: Int)? {
        guard isInPlace, let size = output.terminalSize else { return nil }
        return (max(size.width - 1, 1), size.height)
    }

    private func heading(_ at: Timestamp, width: Int?) -> String {
        let text = "\(RecordText.time(at.text)) UTC, every \(StatusRates.decimal(seconds)) s until Ctrl-C"
        return colours.paint(width.map { text.cut(to: $0) } ?? text, .bold)
    }

    /// In place line by line, so that nothing is blank for a moment; the whole in one write.
    private func show(_ lines: [String]) throws {
        if isInPlace {
            let lines = sizeInPlace.map { Array(lines.prefix(max($0.height - 1, 1))) } ?? lines
            output.put("\u{1B}[H" + lines.map { $0 + "\u{1B}[K\r\n" }.joined() + "\u{1B}[J")
        } else {
            for line in lines { try output.line(line) }
            try output.line("")
        }
        try output.flush()
    }
}

/// How much has happened between two looks.
struct StatusRates {
    let seconds: Double
    let decisionsPerSecond: Double
    let outcomesPerSecond: Double
    /// Outcomes a second.
    let ofStrategies: [String: Double]

    /// Nil where the two are not of the same database.
    init?(_ now: StatusWatch.Look, since before: StatusWatch.Look) {
        guard case .read(let counts) = now.report.database, case .read(let earlier) = before.report.database,
            counts.stream == earlier.stream, now.at > before.at
        else { return nil }
        let seconds = Double((now.at - before.at).count) / 1_000_000
        func rate(_ now: Int64, _ before: Int64) -> Double { Double(max(0, now - before)) / seconds }
        self.seconds = seconds
        decisionsPerSecond = rate(counts.lastDecision, earlier.lastDecision)
        outcomesPerSecond = rate(counts.lastSeq, earlier.lastSeq)
        let seqs = Dictionary(before.strategies.map { ($0.name, $0.lastStrategySeq) }) { first, _ in first }
        ofStrategies = Dictionary(
            now.strategies.map { ($0.name, rate($0.lastStrategySeq, seqs[$0.name] ?? 0)) }
        ) { first, _ in first }
    }

    var text: String {
        """
        \(StatusRates.decimal(decisionsPerSecond)) decisions/s, \(StatusRates.decimal(outcomesPerSecond)) outcomes/s \
        over \(StatusRates.decimal(seconds)) s
        """
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            for (name, value) in [
                ("seconds", seconds), ("decisions_per_second", decisionsPerSecond),
                ("outcomes_per_second", outcomesPerSecond),
            ] {
                writer.key(name)
                writer.raw(StatusRates.decimal(value).utf8)
            }
        }
    }

    /// With one digit after the point.
    static func decimal(_ value: Double) -> String {
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension StrategyCounts {
    fileprivate func write(to writer: inout JSONWriter, rate: Double?) {
        writer.object { writer in
            writer.member("strategy_name", name)
            writer.member("pending", pending)
            writer.member("executing", executing)
            writer.member("unknown", unknown)
            writer.member("last_strategy_seq", lastStrategySeq)
            writer.member("last_outcome_at", lastOutcomeAt)
            writer.key("outcomes_per_second")
            if let rate { writer.raw(StatusRates.decimal(rate).utf8) } else { writer.null() }
        }
    }
}
