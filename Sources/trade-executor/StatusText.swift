import StrictJSON
import TradeRecords
import TradingCore

/// A worker's state for a person.
enum StatusText {
    /// One line of it. Its text is not safe for a terminal yet.
    struct Field {
        let name: String
        let text: String
        /// How it stands out, where it should.
        var paint: Colours.Paint?

        init(_ name: String, _ text: String, _ paint: Colours.Paint? = nil) {
            self.name = name
            self.text = text
            self.paint = paint
        }

        /// - Parameter width: Of the terminal, where the line is to stay on one.
        func line(_ colours: Colours = .none, width: Int? = nil) -> String {
            var text = TerminalText.safe(text)
            if let width { text = text.cut(to: width - 11) }
            return name.padded(to: 10) + " " + colours.paint(text, paint)
        }
    }

    static func fields(_ report: StatusReport) -> [Field] {
        var fields = [worker(report.worker)]
        fields.append(Field("partition", partition(report)))
        fields.append(Field("state", report.stateDirectory))
        if case .answering(_, let answer) = report.worker { fields += own(answer) }
        switch report.database {
        case .read(let counts): fields += of(counts, at: report.at)
        case .unreadable(let fault): fields.append(Field("database", fault.description, .red))
        }
        if report.halts.isEmpty { fields.append(Field("halts", "none")) }
        for halt in report.halts {
            fields.append(Field("halted", "\(HaltText.scope(halt.scope)), \(HaltText.details(halt))", .red))
        }
        for name in report.strayHaltFiles {
            fields.append(
                Field("warning", "halt/\(name) halts nothing: it is called neither all nor strategy-NAME", .yellow))
        }
        return fields
    }

    /// The worker knows best.
    private static func partition(_ report: StatusReport) -> String {
        guard case .answering(_, let answer) = report.worker else { return report.partition.text }
        return answer["partition"]?.string ?? report.partition.text
    }

    static func process(_ id: String?) -> String { id.map { " (process \($0))" } ?? "" }

    private static func worker(_ worker: StatusReport.Worker) -> Field {
        switch worker {
        case .stopped: return Field("worker", "stopped", .red)
        case .notAnswering(let id, let why):
            return Field("worker", "running\(process(id)) but not answering: \(why)", .red)
        case .answering(let id, let answer):
            let uptime = answer["uptime_s"]?.integer.map { ", up \(duration(seconds: $0))" } ?? ""
            let draining = answer["draining"]?.bool == true ? ", stopping" : ""
            return Field("worker", "running\(process(id))\(uptime)\(draining)", draining.isEmpty ? .green : .yellow)
        }
    }

    /// What the worker says of itself and the database does not.
    private static func own(_ answer: JSONValue) -> [Field] {
        var sending = answer["sending"]?.bool == true ? "one request at the broker" : "no request at the broker"
        if let open = answer["open_orders"]?.integer { sending += ", \(open) open orders" }
        if let lookUps = answer["look_ups"]?.integer { sending += ", \(lookUps) look-ups so far" }
        let map = answer["partition_map"]
        var fields = map?["epoch"]?.integer.map { [Field("map", "epoch \($0)")] } ?? []
        if let problem = map?["problem"]?.string { fields.append(Field("map", "WRONG: \(problem)", .red)) }
        let left = answer["requests_left"]?.integer
        if let left { sending += ", \(left) requests left" }
        let fault = answer["storage_fault"]?.string
        return fields + [
            Field(
                "storage", fault.map { "FAILING, nothing is taken or sent: \($0)" } ?? "working",
                fault == nil ? nil : .red),
            Field("broker", sending, left == 0 ? .yellow : nil),
        ]
    }

    private static func of(_ counts: DatabaseCounts, at now: Timestamp) -> [Field] {
        var waiting = "\(counts.pending) waiting"
        if let oldest = counts.oldestPendingReceivedAt.flatMap(Timestamp.init) {
            let seconds = max(0, now.nanoseconds - oldest.nanoseconds) / 1_000_000_000
            waiting += " (the oldest for \(duration(seconds: seconds)))"
        }
        var outcomes = "last number \(counts.lastSeq)"
        if let at = counts.lastOutcomeAt { outcomes += ", \(RecordText.time(at)) UTC" }
        let restored = counts.restoration.map { Field("restored", RecordText.restoration($0)) }
        return [
            Field(
                "decisions", "\(waiting), \(counts.executing) executing, \(counts.unknown) unknown",
                counts.unknown == 0 ? nil : .yellow),
            Field("outcomes", outcomes),
            Field("refused", "\(counts.refusedMessages) messages"),
            Field("database", "\(size(counts.sizeInBytes)), stream \(counts.stream)"),
        ] + [restored].compactMap(\.self)
    }

    static func duration(seconds: Int64) -> String {
        switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3600: "\(seconds / 60) min"
        case ..<86_400: "\(seconds / 3600) h \(seconds / 60 % 60) min"
        default: "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
        }
    }

    private static func size(_ bytes: Int64) -> String {
        bytes < 10 << 20 ? "\((bytes + 1023) >> 10) KiB" : "\((bytes + 1 << 19) >> 20) MiB"
    }
}
