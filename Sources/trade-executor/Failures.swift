import ArgumentParser
import HostSystem
import StrictJSON
import TradeRecords

struct Failures: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Counts what failed, the most frequent first.",
        discussion: """
            Two kinds are told apart: `rejected` executions, with the broker's message and HTTP status, and decisions \
            that were `refused` by the worker before their attempt began, with their reason. An attempt of which nothing \
            was sent counts as rejected too, with what prevented it and a 500 that is no answer of the broker's: see \
            CERTAINTY in `executions --scope failed`.
            """)

    @Option(help: "What to count by: message, strategy or symbol.")
    var by = FailureSubject.message

    @Option(help: "Only what failed since: \(MomentArgument.help).")
    var since: MomentArgument?

    @Flag(help: "One JSON object a line: count, kind, http_status_code, and message, strategy_name or symbol.")
    var json = false

    @OptionGroup var source: RecordsOptions

    func run() throws {
        let records = try source.records()
        try source.mentionArchives(records)
        let counts = try records.failures(by: by, since: since?.timestamp(at: SystemClock().now()))
        try StandardOutput.print { output in
            if json {
                for count in counts { try output.line(body(of: count)) }
            } else {
                try printTable(counts, on: output)
            }
        }
    }

    private func body(of count: FailureCount) -> [UInt8] {
        var writer = JSONWriter(reserving: 256)
        writer.object { writer in
            writer.member("count", count.count)
            writer.member("kind", count.kind.rawValue)
            switch by {
            case .message:
                writer.member("http_status_code", count.httpStatusCode)
                writer.member("message", count.subject)
            case .strategy: writer.member("strategy_name", count.subject)
            case .symbol: writer.member("symbol", count.subject)
            }
        }
        return writer.bytes
    }

    private func printTable(_ counts: [FailureCount], on output: StandardOutput) throws {
        var table = TextTable(
            [.init("COUNT", isNumber: true), .init("KIND"), .init(by.rawValue.uppercased())], on: output)
        for count in counts {
            let subject = count.subject ?? (by == .symbol ? "mleg" : "-")
            let status = count.httpStatusCode.map { "\($0) " } ?? ""
            try table.add(["\(count.count)", count.kind.rawValue, status + subject])
        }
        if try !table.finish() { try output.line("no failures") }
    }
}

extension FailureSubject: ExpressibleByArgument {}
