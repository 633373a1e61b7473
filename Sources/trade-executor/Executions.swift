import ArgumentParser
import HostSystem
import StrictJSON
import TradeRecords
import TradingCore

struct Executions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists executions, newest first.",
        discussion: """
            Works while a worker runs and while none does. Filters add up: an execution is listed when all of them \
            let it through. Decisions that were never sent have no execution: see `failures` and `show`.
            """)

    @Option(
        help: """
            successful (filled), failed (rejected), pending (submitted or accepted), unknown (the answer was lost), \
            recent (the last 24 hours).
            """)
    var scope: ExecutionScope?

    @Option(help: "submitted, accepted, filled, rejected, cancelled or partial_fill.")
    var status: ExecutionStatus?

    @Option(help: "Only of this symbol.")
    var symbol: String?

    @Option(help: "Only of this strategy.")
    var strategy: String?

    @Option(help: "Only what was begun since: \(MomentArgument.help).")
    var since: MomentArgument?

    @Option(help: "At most so many; 0 for all.")
    var limit = 50

    @Flag(help: "With the bodies of the request and of the response.")
    var payloads = false

    @Flag(help: "One JSON object a line, with every column of the execution and its decision.")
    var json = false

    @OptionGroup var source: RecordsOptions

    func validate() throws {
        guard limit >= 0 else { throw ValidationError("--limit must be 0 or more") }
    }

    func run() throws {
        let now = SystemClock().now()
        let filter = ExecutionFilter(
            scope: scope, status: status, symbol: symbol, strategy: strategy, since: since?.timestamp(at: now),
            limit: limit == 0 ? nil : limit, includesPayloads: payloads)
        let records = try source.records()
        try source.mentionArchives(records)
        try StandardOutput.print { output in
            if json {
                try records.forEachExecution(filter, at: now) { entry in
                    var writer = JSONWriter(reserving: 2048)
                    entry.write(to: &writer, withPayloads: payloads)
                    try output.line(writer.bytes)
                }
            } else {
                try printTable(records, filter, at: now, on: output)
            }
        }
    }

    private func printTable(
        _ records: TradeRecords, _ filter: ExecutionFilter, at now: Timestamp, on output: StandardOutput
    ) throws {
        var table = TextTable(
            [
                .init("TIME (UTC)"), .init("STRATEGY"), .init("DECISION"), .init("SIDE"),
                .init("AMOUNT", isNumber: true), .init("SYMBOL"), .init("STATUS"), .init("CERTAINTY"),
                .init("FILLED"), .init("REASON"),
            ], on: output)
        try records.forEachExecution(filter, at: now) { entry in
            let (execution, decision) = (entry.execution, entry.decision)
            try table.add(
                [
                    RecordText.time(execution.submittedAt), decision.strategyName, decision.decisionID,
                    decision.side ?? "-",
                    RecordText.amount(quantity: decision.quantity, notional: decision.notional),
                    RecordText.symbol(decision.symbol, orderClass: decision.orderClass), execution.status,
                    execution.certainty,
                    RecordText.filled(quantity: execution.filledQuantity, price: execution.filledAveragePrice),
                    RecordText.reason(execution, decision),
                ], below: payloads ? [line("request", entry.request), line("response", entry.response)] : [])
        }
        if try !table.finish() { try output.line("no executions") }
    }

    private func line(_ name: String, _ payload: PayloadRecord?) -> String {
        let padded = "    \(name):".padded(to: 14)
        guard let payload else { return padded + "none" }
        let body = payload.text.map(TerminalText.safe) ?? "\(payload.body.count) bytes that are no text"
        return padded + (payload.isSynthetic ? "(by the worker) " : "") + body
    }
}

extension ExecutionScope: ExpressibleByArgument {}
extension ExecutionStatus: ExpressibleByArgument {}

extension String {
    /// With spaces at its end, at least so long.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - count))
    }
}
