import StrictJSON
import TradeRecords
import TradingCore

/// A worker's state for a person.
enum StatusText {
    static func lines(_ report: StatusReport) -> [String] {
        var fields = [("worker", worker(report.worker))]
        fields.append(("partition", report.partition.text))
        fields.append(("state", report.stateDirectory))
        if case .answering(_, let answer) = report.worker { fields += own(answer) }
        switch report.database {
        case .read(let counts): fields += of(counts)
        case .unreadable(let fault): fields.append(("database", fault.description))
        }
        if report.halts.isEmpty { fields.append(("halts", "none")) }
        for halt in report.halts {
            fields.append(("halted", "\(HaltText.scope(halt.scope)), \(HaltText.details(halt))"))
        }
        return fields.map { $0.0.padded(to: 10) + " " + TerminalText.safe($0.1) }
    }

    static func process(_ id: String?) -> String { id.map { " (process \($0))" } ?? "" }

    private static func worker(_ worker: StatusReport.Worker) -> String {
        switch worker {
        case .stopped: return "stopped"
        case .notAnswering(let id, let why): return "running\(process(id)) but not answering: \(why)"
        case .answering(let id, let answer):
            let uptime = answer["uptime_s"]?.integer.map { ", up \(duration(seconds: $0))" } ?? ""
            let draining = answer["draining"]?.bool == true ? ", stopping" : ""
            return "running\(process(id))\(uptime)\(draining)"
        }
    }

    /// What the worker says of itself and the database does not.
    private static func own(_ answer: JSONValue) -> [(String, String)] {
        var sending = answer["sending"]?.bool == true ? "one request at the broker" : "no request at the broker"
        if let open = answer["open_orders"]?.integer { sending += ", \(open) open orders" }
        if let lookUps = answer["look_ups"]?.integer { sending += ", \(lookUps) look-ups so far" }
        let map = answer["partition_map"]
        var fields = map?["epoch"]?.integer.map { [("map", "epoch \($0)")] } ?? []
        if let problem = map?["problem"]?.string { fields.append(("map", "WRONG: \(problem)")) }
        return fields + [
            (
                "storage",
                answer["storage_fault"]?.string.map { "FAILING, nothing is taken or sent: \($0)" } ?? "working"
            ),
            ("broker", sending),
        ]
    }

    private static func of(_ counts: DatabaseCounts) -> [(String, String)] {
        var waiting = "\(counts.pending) waiting"
        if let oldest = counts.oldestPendingReceivedAt { waiting += " (oldest since \(RecordText.time(oldest)) UTC)" }
        var outcomes = "last number \(counts.lastSeq)"
        if let at = counts.lastOutcomeAt { outcomes += ", \(RecordText.time(at)) UTC" }
        let restored = counts.restoration.map { ("restored", RecordText.restoration($0)) }
        return [
            ("decisions", "\(waiting), \(counts.executing) executing, \(counts.unknown) unknown"),
            ("outcomes", outcomes),
            ("refused", "\(counts.refusedMessages) messages"),
            ("database", "\(size(counts.sizeInBytes)), stream \(counts.stream)"),
        ] + [restored].compactMap(\.self)
    }

    private static func duration(seconds: Int64) -> String {
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
