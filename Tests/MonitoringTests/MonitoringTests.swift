import Monitoring
import StrictJSON
import Testing
import TradingCore

@Suite("Latencies in buckets")
struct LatencyHistogramTests {
    @Test("give percentiles that are at most an eighth too high and never too low")
    func percentiles() throws {
        for value: Int64 in [0, 1, 8, 9, 16, 17, 999, 4711, 123_456, 98_765_432, 1 << 40] {
            var histogram = LatencyHistogram()
            histogram.add(Microseconds(value))
            let read = try #require(histogram.percentile(perMille: 500)).count
            #expect(read >= value && read <= value + value / 8)
        }
    }

    @Test("tell the median from the tail")
    func tail() {
        var histogram = LatencyHistogram()
        for _ in 0..<98 { histogram.add(.milliseconds(1)) }
        for _ in 0..<2 { histogram.add(.seconds(1)) }
        #expect(histogram.percentile(perMille: 500)! < .milliseconds(2))
        #expect(histogram.percentile(perMille: 990)! >= .seconds(1))
        #expect(histogram.count == 100)
        #expect(LatencyHistogram().percentile(perMille: 500) == nil)
    }

    @Test("count exactly up to a power of two, as the metrics ask")
    func bounds() {
        var histogram = LatencyHistogram()
        for value: Int64 in [1023, 1024, 1025, 2048] { histogram.add(Microseconds(value)) }
        #expect(histogram.count(upTo: Microseconds(1024)) == 2)
        #expect(histogram.count(upTo: Microseconds(2048)) == 4)
    }

    @Test("add up, and come back from their text")
    func text() throws {
        var left = LatencyHistogram()
        var right = LatencyHistogram()
        left.add(Microseconds(5))
        right.add(.seconds(3))
        left.add(right)
        let back = try #require(LatencyHistogram(left.text))
        #expect(back == left)
        #expect(back.count == 2 && back.sum == Microseconds(3_000_005))
        #expect(LatencyHistogram("0;") == LatencyHistogram())
        for nonsense in ["", "x;", "1;2", "1;2:x", "1;9999:1", "1;2:-1"] { #expect(LatencyHistogram(nonsense) == nil) }
    }
}

@Suite("A tally of decisions")
struct TallyTests {
    @Test("counts each decision once, by what was last heard of it")
    func results() {
        var tally = StrategyTally()
        let story = [
            Samples.outcome(seq: 1, result: "unknown", status: "submitted"),
            Samples.outcome(seq: 2, result: "pending", status: "submitted"),
            Samples.outcome(seq: 3, result: "success"),
        ]
        var previous: DecisionState?
        for outcome in story {
            tally.count(outcome, after: previous)
            previous = DecisionState(outcome)
        }
        #expect(tally.outcomes == 3 && tally.success == 1 && tally.pending == 0 && tally.unknown == 0)
        #expect(tally.ended == 1 && tally.lastStrategySeq == 3)
    }

    @Test("tells what was never sent from what the broker refused")
    func refused() {
        var tally = StrategyTally()
        let refused = Samples.outcome("d-1", result: "failed", status: nil, reason: "halted")
        let rejected = Samples.outcome("d-2", seq: 2, result: "failed", status: "rejected", error: "no money")
        tally.count(refused, after: nil)
        tally.count(rejected, after: nil)
        #expect(tally.failed == 2 && tally.refused == 1)
        #expect(refused.failure == "halted" && rejected.failure == "no money" && rejected.httpStatusCode == 403)
        #expect(refused.sinceSubmission == nil)
    }

    @Test("counts an end and an unknown once in their minute, and the answer by the first outcome")
    func period() {
        var tally = PeriodTally()
        let unknown = Samples.outcome(seq: 1, result: "unknown", status: "submitted", answeredAfterMilliseconds: 20)
        let again = Samples.outcome(seq: 2, result: "unknown", status: "submitted", answeredAfterMilliseconds: 300)
        let end = Samples.outcome(seq: 3, answeredAfterMilliseconds: 5000)
        tally.count(unknown, after: nil)
        tally.count(again, after: DecisionState(unknown))
        tally.count(end, after: DecisionState(again))
        tally.count(end, after: DecisionState(end))
        #expect(tally.unknown == 1 && tally.success == 1)
        #expect(tally.answer.count == 1 && tally.completion.count == 1)
        #expect(tally.answer.sum == .milliseconds(20) && tally.completion.sum == .seconds(5))
    }
}

@Suite("What is no outcome")
struct SeenOutcomeTests {
    @Test(
        "is not taken for one", arguments: ["seq", "strategy_name", "decision_id", "result", "final", "at"])
    func missing(member: String) {
        let members = Samples.json().members!.filter { $0.key != member }
        #expect(SeenOutcome(.object(members), partition: "p0", stream: "9f2c") == nil)
    }

    @Test("and a message as long as it likes is cut off")
    func long() {
        let outcome = Samples.outcome(result: "failed", status: "rejected", error: String(repeating: "x", count: 9000))
        #expect(outcome.failure?.count == SeenOutcome.failureLengthMax)
    }
}

@Suite("A partition")
struct MonitoredPartitionTests {
    @Test("that was never heard is not fresh, and goes stale after five seconds of silence")
    func freshness() throws {
        var state = Samples.state("p0", "p1")
        #expect(!state.isHealthy(at: Samples.second(1)))
        state.partitions["p0"]?.hear(Samples.heartbeat(), at: Samples.second(10))
        state.partitions["p1"]?.hear(Samples.heartbeat(partition: "p1"), at: Samples.second(12))
        #expect(state.isHealthy(at: Samples.second(15)))
        #expect(!state.isHealthy(at: Samples.second(16)))
        let health = try JSONValue(parsing: state.healthJSON(at: Samples.second(16)))
        #expect(health["failing"] == ["p0"])
        #expect(health["status"] == "failing")
    }

    @Test("shows what an operator should look at")
    func problems() {
        var partition = Samples.state("p0").partitions["p0"]!
        #expect(partition.problems(at: Samples.second(1)) == [.notHeard])
        partition.hear(Samples.heartbeat(seq: 4, unknown: 1, halted: ["s"]), at: Samples.second(1))
        #expect(partition.problems(at: Samples.second(2)) == [.halted, .unknown, .behind])
        #expect(partition.missing == 4)
        partition.reach(StreamPosition(stream: "9f2c", seq: 4))
        partition.hear(Samples.heartbeat(seq: 4, partition: "p9"), at: Samples.second(3))
        #expect(partition.problems(at: Samples.second(3)) == [.otherPartition])
    }

    @Test("whose database was restored from an older copy is told from the first again")
    func wentBack() {
        var state = Samples.state("p0", "p1")
        state.count(Samples.outcome(), after: nil)
        state.partitions["p0"]?.goBack()
        state.countAnew("p0")
        #expect(state.partitions["p0"]?.seq == 0 && state.partitions["p0"]?.wentBack == 1)
        #expect(state.total(of: "p0") == StrategyTally())
    }

    @Test("with another database counts from one")
    func newStream() {
        var partition = Samples.state("p0").partitions["p0"]!
        partition.reach(StreamPosition(stream: "old", seq: 10))
        partition.hear(Samples.heartbeat(seq: 3), at: Samples.second(1))
        #expect(partition.missing == 3)
        partition.reach(StreamPosition(stream: "9f2c", seq: 3))
        #expect(partition.missing == 0 && partition.seq == 3)
    }
}

@Suite("The metrics")
struct MetricsTextTests {
    private func text(_ state: MonitoredState) -> String {
        MetricsText(state, at: Samples.second(2), residentBytes: 1000).text
    }

    @Test("name each family once, with help and type before its samples")
    func families() {
        var state = Samples.state("p0")
        state.partitions["p0"]?.hear(Samples.heartbeat(), at: Samples.second(1))
        state.count(Samples.outcome(), after: nil)
        var names: Set<String> = []
        var current = ""
        for line in text(state).split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# HELP") {
                current = String(words[2])
                #expect(names.insert(current).inserted, "\(current) twice")
                #expect(current.hasPrefix("trade_monitor_") || current.hasPrefix("trade_executor_"))
            } else if line.hasPrefix("# TYPE") {
                #expect(words[2] == current)
            } else {
                #expect(line.hasPrefix(current))
            }
        }
    }

    @Test("tell what was heard and counted")
    func samples() {
        var state = Samples.state("p0")
        state.partitions["p0"]?.hear(Samples.heartbeat(seq: 1, unknown: 7, halted: ["all"]), at: Samples.second(1))
        state.count(Samples.outcome(), after: nil)
        let text = text(state)
        for line in [
            "trade_executor_up{partition=\"p0\"} 1",
            "trade_executor_heartbeat_age_seconds{partition=\"p0\"} 1.000000",
            "trade_executor_oldest_pending_seconds{partition=\"p0\"} 1.500000",
            "trade_executor_unknown_executions{partition=\"p0\"} 7",
            "trade_executor_strategy_halted{partition=\"p0\",strategy=\"all\"} 1",
            "trade_executor_decisions_total{partition=\"p0\",strategy=\"s\",result=\"success\"} 1",
            "trade_executor_answer_seconds_bucket{partition=\"p0\",le=\"0.016384\"} 0",
            "trade_executor_answer_seconds_bucket{partition=\"p0\",le=\"0.032768\"} 1",
            "trade_executor_answer_seconds_bucket{partition=\"p0\",le=\"+Inf\"} 1",
            "trade_executor_answer_seconds_sum{partition=\"p0\"} 0.020000",
            "trade_monitor_problem{partition=\"p0\",problem=\"unknown\"} 1",
            "trade_monitor_healthy 1",
        ] { #expect(text.contains(line + "\n"), "\(line)") }
    }

    @Test("say nothing of a worker that was never heard but that it is down")
    func neverHeard() {
        let text = text(Samples.state("p0"))
        #expect(text.contains("trade_executor_up{partition=\"p0\"} 0\n"))
        #expect(!text.contains("trade_executor_pending_decisions{"))
    }

    @Test("have a row each of two hundred strategies and one of all others")
    func bounded() {
        var state = Samples.state("p0")
        for number in 0..<250 {
            state.count(Samples.outcome(strategy: "s-\(1000 + number)"), after: nil)
        }
        let rows = text(state).split(separator: "\n").filter { $0.hasPrefix("trade_executor_outcomes_total{") }
        #expect(rows.count == 201)
        #expect(rows.last == "trade_executor_outcomes_total{partition=\"p0\",strategy=\"(other)\"} 50")
    }
}

@Suite("The state for the page")
struct StateJSONTests {
    @Test("adds up a partition's strategies, and has those that only the worker knows")
    func sums() throws {
        var state = Samples.state("p0")
        state.partitions["p0"]?.hear(Samples.heartbeat(halted: ["s"]), at: Samples.second(1))
        state.count(Samples.outcome("d-1", strategy: "a"), after: nil)
        state.count(Samples.outcome("d-1", seq: 2, strategy: "b", result: "failed", status: "rejected"), after: nil)
        let json = try JSONValue(
            parsing: state.json(at: Samples.second(1), Timestamp("2026-11-22T14:30:00Z")!, recent: [:]))
        let partition = try #require(json["partitions"]?.array?.first)
        #expect(partition["total"]?["success"] == 1 && partition["total"]?["failed"] == 1)
        let strategies = try #require(json["strategies"]?.array)
        #expect(strategies.map { $0["strategy_name"] } == ["a", "b", "s"])
        #expect(strategies.map { $0["halted"] } == [false, false, true])
    }
}

@Suite("What a worker says that cannot be")
struct ImpossibleNumbersTests {
    @Test(
        "is no heartbeat: numbers below nothing, or too large to reckon with",
        arguments: ["seq", "pending", "oldest_pending_ms", "unknown"])
    func heartbeat(member: String) {
        for number in ["-1", "1000000000001", "9223372036854775807"] {
            let members: [(String, JSONValue)] = [
                ("stream", "9f2c"), ("partition", "p0"), ("seq", "1"), ("pending", "1"), ("oldest_pending_ms", "1"),
                ("unknown", "1"),
            ].map { name, value in
                if name == member { return (name, .number(number)) }
                return (name, value == "1" ? .number("1") : .string(value))
            }
            let text = "{" + members.map { "\"\($0)\":\($1.text)" }.joined(separator: ",") + "}"
            #expect((try? JSONValue(parsing: Array(text.utf8))).map { Heartbeat($0) == nil } == true)
        }
    }

    @Test("does not end the sum of latencies")
    func latencies() {
        var histogram = LatencyHistogram()
        for _ in 0..<40_000 { histogram.add(Microseconds(.max)) }
        var sum = histogram
        sum.add(histogram)
        #expect(sum.count == 80_000 && sum.sum == Microseconds(.max))
        #expect((sum.percentile(perMille: 500) ?? .zero) >= LatencyHistogram.longest)
    }
}
