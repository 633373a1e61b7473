import ArgumentParser
import StrictJSON
import TradeRecords

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows everything on record about one decision.",
        discussion: """
            ID is an Alpaca order id (of a leg or of a replacement too), a client order id \
            (strategy:decision), a decision id, or an execution id. A decision id that several strategies have used \
            shows all of them. Of a decision that was only ever refused it tells when and why, and ends with 1.
            """)

    @Argument(help: "What to look for.")
    var id: String

    @Flag(help: "One JSON object a line: decision, execution, payloads, orders, outcomes.")
    var json = false

    @OptionGroup var source: RecordsOptions

    /// By the names of an execution or an order, what is archived is not found here.
    private func archived(_ records: TradeRecords) throws -> String {
        let files = try records.archives().map(\.file)
        guard source.archive == nil, !files.isEmpty else { return "" }
        return ", or at what is archived: say --archive with one of \(files.joined(separator: ", "))"
    }

    func run() throws {
        let records = try source.records()
        let contexts = try records.fullContexts(of: id)
        let restoration = try records.lastRestoration()
        guard !contexts.isEmpty else {
            if let refusal = try records.refusals(of: id) {
                let times = refusal.count == 1 ? "once, at" : "\(refusal.count) times, the last time at"
                throw Failure(
                    "nothing was accepted under \(id); it was refused \(times) \(refusal.receivedAt) with "
                        + "\(refusal.code): \(TerminalText.safe(refusal.message))")
            }
            throw Failure(
                "nothing is called \(id): no order, decision or execution; check --state-dir and --partition, "
                    + "or look at `trade-executor executions`"
                    + (try archived(records))
                    + (restoration.map {
                        ". What happened between a copy and its restoration is not on record: this database was "
                            + "restored \(RecordText.restoration($0))"
                    } ?? ""))
        }
        try StandardOutput.print { output in
            if json {
                for context in contexts {
                    var writer = JSONWriter(reserving: 8192)
                    context.write(to: &writer, restoration: restoration)
                    try output.line(writer.bytes)
                }
                return
            }
            if contexts.count > 1 {
                try output.line("\(contexts.count) decisions are called \(TerminalText.safe(id)); all of them follow\n")
            }
            for (index, context) in contexts.enumerated() {
                if index > 0 { try output.line("\n" + String(repeating: "=", count: 80) + "\n") }
                for line in ContextText(context).lines { try output.line(line) }
            }
            if let restoration {
                let text = RecordText.restoration(restoration)
                try output.line(TerminalText.safe("\nThis database was restored \(text)"))
                try output.line("What happened after that copy and before its restoration is not in it.")
            }
        }
    }
}
