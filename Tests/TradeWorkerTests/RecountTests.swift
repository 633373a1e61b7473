import AlpacaAPI
import OrderResolution
import TestKit
import Testing
import TradeJournal
import TradingCore

@testable import TradeWorker

/// Limits that stay as they are.
private struct FixedLimits: WatchedText {
    let meaning: TradingLimits
    let content: [UInt8] = []

    func look() -> WatchedTextChange { .unchanged }
}

/// A line on which nothing is to be asked.
private struct UnusedLine: OrderLookUps {
    func get(path: String) throws(EdgeFault) { throw EdgeFault("nothing is asked here") }
    func takeResult() -> HTTPExchangeResult? { nil }
}

@Suite("What limits count from the database")
struct RecountTests {
    private let directory: TemporaryDirectory
    private let history: TradeHistory

    init() throws {
        directory = try TemporaryDirectory()
        history = try TradeHistory(path: directory.path + "/trades.db", start: "2026-11-22T23:59:00Z")
    }

    /// The word by which another order is refused, for ten AAPL as ever; nil where it is not.
    private func word(_ limits: String, at moment: String, boot seconds: Int64 = 100) throws -> String? {
        let limits = SendLimits(
            FixedLimits(meaning: try LimitsFile.read(Array("{\"v\":1,\"each\":{\(limits)}}".utf8))), line: UnusedLine())
        let now = ClockReading(
            moment: try #require(Timestamp(moment)), monotonic: MonotonicTime(microseconds: seconds * 1_000_000),
            bootID: "boot")
        try limits.recount(history.journal, at: now)
        #expect(!limits.mustRecount(at: now))
        guard
            case .success(.decision(let decision)) = RequestFrame.read(Array(RunningWorker.decision("next").utf8))
        else { throw TestFailure("this is a decision") }
        let waiting = WaitingDecision(
            row: DecisionRow(1000), decision: decision, receivedAt: now.moment,
            deadline: Deadline(moment: now.moment, monotonic: now.monotonic, bootID: "boot"), mayHaveBeenSent: false)
        guard case .refused(let refusal, _) = limits.verdict(on: waiting, at: now) else { return nil }
        return refusal.rawValue
    }

    @Test("is every attempt that was begun, whatever came of it, but for those that have not left")
    func kinds() throws {
        try history.execute("d-1")
        try history.execute("d-2", ending: .lost("timeout"))
        try history.execute("d-3", ending: .error(status: 403, body: #"{"message":"no"}"#))
        try history.execute("d-4", ending: .notSent("no connection"))
        try history.refuse("d-5")
        try history.accept("d-6")
        try history.execute("d-1", strategy: "other")
        #expect(try word(#""orders_per_day":3"#, at: "2026-11-22T23:59:30Z") == "orders_per_day_limit")
        #expect(try word(#""orders_per_day":4"#, at: "2026-11-22T23:59:30Z") == nil)
    }

    @Test("towards the day is what was sent since midnight UTC, and towards windows what was sent within them")
    func midnight() throws {
        try history.execute("d-1")
        let day = #""orders_per_day":1"#
        #expect(try word(day, at: "2026-11-22T23:59:59Z") == "orders_per_day_limit")
        #expect(try word(day, at: "2026-11-23T00:00:00Z") == nil)
        let minute = #""orders_per_minute":1"#
        #expect(try word(minute, at: "2026-11-23T00:00:00Z") == "orders_per_minute_limit")
        #expect(try word(minute, at: "2026-11-23T00:00:01Z") == nil)
        let window = #""duplicate_window_s":3600"#
        #expect(try word(window, at: "2026-11-23T00:58:59Z", boot: 1) == "duplicate_intent")
        #expect(try word(window, at: "2026-11-23T00:59:01Z", boot: 1) == nil)
    }

    @Test("is not set free by a calendar that is set back")
    func calendarSetBack() throws {
        try history.execute("d-1")
        for moment in ["2026-11-22T12:00:00Z", "2026-11-21T12:00:00Z", "2020-01-01T00:00:00Z"] {
            #expect(try word(#""orders_per_day":1"#, at: moment) == "orders_per_day_limit")
            #expect(try word(#""orders_per_minute":1"#, at: moment) == "orders_per_minute_limit")
            #expect(try word(#""duplicate_window_s":1"#, at: moment) == "duplicate_intent")
        }
    }

    @Test("to reduce a position is what was not known to have ended ten seconds ago, also by a process before this one")
    func reductions() throws {
        func sold(_ quantity: Int) -> String { #""symbol":"AAPL","side":"sell","quantity":"\#(quantity)""# }
        let filled = TradeHistory.order("o-1", client: "s:d-1", status: "filled", filled: "1")
        try history.execute("d-1", sold(1), ending: .order(filled))
        #expect(try left(at: "2026-11-22T23:59:10Z") == "9")
        #expect(try left(at: "2026-11-22T23:59:12Z") == "10")
        try history.execute("d-2", sold(2), ending: .lost("timeout"))
        try history.execute("d-3", sold(3))
        try history.execute("d-4", sold(4), ending: .error(status: 403, body: #"{"message":"no"}"#))
        #expect(try left(at: "2026-11-22T23:59:10Z") == "4")
        #expect(try left(at: "2026-11-24T12:00:00Z") == "5")
    }

    /// What a new process takes for left of ten AAPL.
    private func left(at moment: String) throws -> String {
        let limits = SendLimits(FixedLimits(meaning: TradingLimits()), line: UnusedLine())
        let now = ClockReading(
            moment: try #require(Timestamp(moment)), monotonic: MonotonicTime(microseconds: 1_000_000),
            bootID: "boot")
        try limits.recount(history.journal, at: now)
        let ten = HeldPosition(direction: .long, quantityAvailable: ExactDecimal(10))
        let symbol = try #require(Symbol("AAPL"))
        return limits.reductions.corrected(ten, of: symbol, at: now.monotonic).quantityAvailable.text
    }
}
