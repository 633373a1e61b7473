import Benchmarking
import Testing

@Suite("Figures")
struct FigureTests {
    @Test(
        "show three digits that count",
        arguments: [
            (1957.6, "1,958"), (48.21, "48.2"), (9.999, "10.00"), (0.5, "0.50"), (0.0312, "0.031"), (0, "0.00"),
            (-3.456, "-3.46"), (1_234_567, "1,234,567"),
        ])
    func showThreeDigits(value: Double, text: String) {
        #expect(Figure.text(value) == text)
    }

    @Test("have the median of an even count between the two in the middle")
    func medianOfEvenCount() {
        #expect(Spread([4, 1, 3, 2])?.median == 2.5)
        #expect(Spread([]) == nil)
    }
}

@Suite("Latencies")
struct LatencyTests {
    @Test("are told in microseconds, with the percentiles where they belong")
    func tellPercentiles() throws {
        var latencies = Latencies()
        for microseconds in 1...1000 { latencies.record(nanoseconds: Int64(microseconds) * 1000) }
        let summary = try #require(latencies.summary)
        #expect(summary.count == 1000)
        #expect(abs(summary.p50 - 500) < 1)
        #expect(abs(summary.p99 - 990) < 1)
        #expect(abs(summary.max - 1000) < 1)
    }

    @Test("of a decision count from when it was due, not from when it was sent")
    func countFromDueTime() throws {
        let name = DecisionFrames.Name(strategy: "a", id: "d")
        var run = RunRecord()
        run.sent = [.init(name: name, dueAt: 0, sentAt: 5_000_000)]
        run.acks = [
            .init(body: Array(#"{"decision_id":"d","strategy_name":"a","status":"accepted"}"#.utf8), at: 6_000_000)
        ]
        run.arrivals = [BrokerArrival(clientOrderID: "a:d", arrivedAt: 7_000_000, answeredAt: 8_000_000)]
        run.outcomes = [
            .init(body: Array(#"{"decision_id":"d","strategy_name":"a","result":"success"}"#.utf8), at: 9_000_000)
        ]
        let latencies = try RunLatencies(run)
        #expect(abs((latencies.toAck?.p50 ?? 0) - 6000) < 10)
        #expect(abs((latencies.toBroker?.p50 ?? 0) - 7000) < 10)
        #expect(abs((latencies.answerToOutcome?.p50 ?? 0) - 1000) < 2)
        #expect(abs((latencies.lateness?.p50 ?? 0) - 5000) < 10)
    }
}
