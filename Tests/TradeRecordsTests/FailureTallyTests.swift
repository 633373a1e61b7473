import TestKit
import Testing
import TradeRecords
import TradingCore

@Suite("A tally of failures")
struct FailureTallyTests {
    private func tally(_ subject: FailureSubject, since: String? = nil) throws -> [String] {
        let trades = try RecordedTrades.ofEveryKind()
        return try trades.records().failures(by: subject, since: since.map(trades.time)).map {
            "\($0.count) \($0.kind) \($0.httpStatusCode.map { "\($0) " } ?? "")\($0.subject ?? "-")"
        }
    }

    @Test("counts messages with their HTTP status, apart from what was never sent")
    func byMessage() throws {
        #expect(
            try tally(.message) == [
                "2 rejected 403 insufficient buying power", "1 refused expired", "1 refused halted",
                "1 rejected 500 no connection",
            ])
    }

    @Test("counts what is against a limit by the limit's word", arguments: SendRefusal.allCases)
    func byLimit(_ refusal: SendRefusal) throws {
        let trades = try RecordedTrades()
        try trades.history.refuse("d-1", for: refusal)
        let counts = try trades.records().failures(by: .message, since: nil)
        #expect(counts.map(\.kind) == [.refused])
        #expect(counts.map(\.subject) == [refusal.rawValue])
    }

    @Test("counts strategies and symbols")
    func bySubject() throws {
        #expect(
            try tally(.strategy) == [
                "2 refused pairs", "1 rejected mean-rev", "1 rejected momentum", "1 rejected pairs",
            ])
        #expect(try tally(.symbol) == ["3 rejected AAPL", "2 refused AAPL"])
    }

    @Test("leaves out what lies before its beginning")
    func since() throws {
        #expect(
            try tally(.message, since: "2026-11-22T14:00:03Z") == [
                "1 refused expired", "1 refused halted", "1 rejected 403 insufficient buying power",
                "1 rejected 500 no connection",
            ])
        #expect(try tally(.strategy, since: "2026-11-22T14:00:08Z") == ["2 refused pairs"])
    }
}
