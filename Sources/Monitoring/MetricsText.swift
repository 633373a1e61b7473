package import TradingCore

/// The answer of `/metrics`: Prometheus' text format, version 0.0.4.
package struct MetricsText {
    /// No more strategies of a partition have rows of their own; the others share one.
    package static let strategiesMax = 200
    /// Their name, which no strategy can have.
    package static let otherStrategies = "(other)"

    package private(set) var text = ""

    package init(_ state: MonitoredState, at now: MonotonicTime, residentBytes: Int64) {
        let partitions = state.partitions.values.sorted { $0.name < $1.name }
        workers(partitions, at: now)
        decisions(MetricsText.bounded(state.tallies))
        halts(partitions)
        latencies(state.latencies)
        monitor(partitions, state, at: now, residentBytes: residentBytes)
    }

    // MARK: Groups

    private mutating func workers(_ partitions: [MonitoredPartition], at now: MonotonicTime) {
        family("trade_executor_up", .gauge, "Whether the worker's heartbeat is fresh: heard within 5 seconds.")
        for one in partitions { sample([("partition", one.name)], one.isFresh(at: now) ? 1 : 0) }
        family("trade_executor_heartbeat_age_seconds", .gauge, "Since when no heartbeat was heard.")
        for one in partitions { sample([("partition", one.name)], seconds: one.silence(at: now)) }
        heard(partitions, "trade_executor_pending_decisions", "Decisions that wait for their turn.") { $0.pending }
        family("trade_executor_oldest_pending_seconds", .gauge, "The age of the decision that has waited longest.")
        for one in partitions {
            guard let heartbeat = one.heartbeat else { continue }
            sample([("partition", one.name)], seconds: .milliseconds(heartbeat.oldestPendingMilliseconds))
        }
        heard(partitions, "trade_executor_unknown_executions", "Attempts of which nobody knows yet what came.") {
            $0.unknown
        }
        heard(partitions, "trade_executor_open_orders", "Orders that are followed at the broker.") {
            $0.openOrders ?? 0
        }
        heard(
            partitions, "trade_executor_refused_messages_total", "Messages refused at the intake since its start.",
            .counter
        ) { $0.refused }
        heard(partitions, "trade_executor_halted", "How many halts are in force.") { Int64($0.halted.count) }
        heard(partitions, "trade_executor_draining", "Whether it takes no more decisions and is about to stop.") {
            $0.isDraining ? 1 : 0
        }
        heard(partitions, "trade_executor_storage_fault", "Whether it cannot store, and so takes and sends nothing.") {
            $0.storageFault == nil ? 0 : 1
        }
        heard(partitions, "trade_executor_uptime_seconds", "Since when it runs.") { $0.uptimeSeconds ?? 0 }
        heard(partitions, "trade_executor_outcome_seq", "The number of its last outcome.") { $0.seq }
    }

    private mutating func decisions(_ tallies: [(key: StrategyKey, value: StrategyTally)]) {
        family("trade_executor_outcomes_total", .counter, "Outcomes seen.")
        for (key, tally) in tallies { sample(key.labels, tally.outcomes) }
        family("trade_executor_decisions_total", .counter, "Decisions that have ended, by result.")
        for (key, tally) in tallies {
            for result in [OutcomeResult.success, .partial, .failed] {
                sample(key.labels + [("result", result.rawValue)], tally[result])
            }
        }
        family("trade_executor_refused_decisions_total", .counter, "Of the failed, those that were never sent.")
        for (key, tally) in tallies { sample(key.labels, tally.refused) }
        family("trade_executor_open_decisions", .gauge, "Decisions that were sent and have not ended, by result.")
        for (key, tally) in tallies {
            for result in [OutcomeResult.pending, .unknown] {
                sample(key.labels + [("result", result.rawValue)], tally[result])
            }
        }
    }

    private mutating func halts(_ partitions: [MonitoredPartition]) {
        family("trade_executor_strategy_halted", .gauge, "Halts in force by scope; the scope `all` is every strategy.")
        for one in partitions {
            for scope in one.heartbeat?.halted.sorted().prefix(MetricsText.strategiesMax) ?? [] {
                sample([("partition", one.name), ("strategy", scope)], 1)
            }
        }
    }

    private mutating func latencies(_ latencies: [String: PeriodTally]) {
        let sorted = latencies.sorted { $0.key < $1.key }
        family(
            "trade_executor_answer_seconds", .histogram,
            "From an attempt's begin to its first outcome, since the monitor's start.")
        for (partition, tally) in sorted { histogram(tally.answer, [("partition", partition)]) }
        family(
            "trade_executor_completion_seconds", .histogram,
            "From an attempt's begin to the decision's end, since the monitor's start.")
        for (partition, tally) in sorted { histogram(tally.completion, [("partition", partition)]) }
    }

    private mutating func monitor(
        _ partitions: [MonitoredPartition], _ state: MonitoredState, at now: MonotonicTime, residentBytes: Int64
    ) {
        family("trade_monitor_seq", .gauge, "The number of the last outcome that the monitor has stored.")
        for one in partitions { sample([("partition", one.name)], one.seq) }
        family("trade_monitor_missing_outcomes", .gauge, "Outcomes that the worker has numbered and the monitor lacks.")
        for one in partitions { sample([("partition", one.name)], one.missing) }
        family("trade_monitor_gaps_total", .counter, "Gaps found in what came live.")
        for one in partitions { sample([("partition", one.name)], one.gaps) }
        family("trade_monitor_replayed_outcomes_total", .counter, "Outcomes that were asked for and came by replay.")
        for one in partitions { sample([("partition", one.name)], one.replayedOutcomes) }
        family("trade_monitor_unreadable_messages_total", .counter, "Messages that are not as the contract has them.")
        for one in partitions { sample([("partition", one.name)], one.unreadableMessages) }
        family("trade_monitor_new_streams_total", .counter, "How often a worker came with another database.")
        for one in partitions { sample([("partition", one.name)], one.newStreams) }
        family(
            "trade_monitor_numbers_went_back_total", .counter,
            "How often a worker came with an older copy of its database.")
        for one in partitions { sample([("partition", one.name)], one.wentBack) }
        family("trade_monitor_problem", .gauge, "Whether the page shows this problem of the partition.")
        for one in partitions {
            let problems = one.problems(at: now)
            for problem in MonitoredPartition.Problem.allCases {
                sample(
                    [("partition", one.name), ("problem", problem.rawValue)], problems.contains(problem) ? 1 : 0)
            }
        }
        family("trade_monitor_healthy", .gauge, "Whether /healthz answers 200.")
        sample([], state.isHealthy(at: now) ? 1 : 0)
        family("trade_monitor_store_bytes", .gauge, "The size of the monitor's own store.")
        sample([], state.store.bytes)
        family("trade_monitor_stored_outcomes", .gauge, "Outcomes kept in the store.")
        sample([], state.store.outcomes)
        family("trade_monitor_store_fault", .gauge, "Whether the monitor cannot store what it hears.")
        sample([], state.store.fault == nil ? 0 : 1)
        family("trade_monitor_partition_map_fault", .gauge, "Whether the partition map cannot be read as it is now.")
        sample([], state.mapFault == nil ? 0 : 1)
        family("trade_monitor_resident_bytes", .gauge, "The memory of the monitor.")
        sample([], residentBytes)
        family("trade_monitor_start_time_seconds", .gauge, "When the monitor was started, in seconds since 1970.")
        sample([], state.startedAt.nanoseconds / 1_000_000_000)
    }

    /// Rows of at most `strategiesMax` strategies a partition, and one of all others.
    static func bounded(_ tallies: [StrategyKey: StrategyTally]) -> [(key: StrategyKey, value: StrategyTally)] {
        var rows: [(key: StrategyKey, value: StrategyTally)] = []
        for (_, group) in Dictionary(grouping: tallies, by: \.key.partition).sorted(by: { $0.key < $1.key }) {
            let sorted = group.sorted { $0.key < $1.key }
            rows += sorted.prefix(strategiesMax).map { ($0.key, $0.value) }
            guard let first = sorted.first, sorted.count > strategiesMax else { continue }
            var others = StrategyTally()
            for (_, tally) in sorted.dropFirst(strategiesMax) { others.add(tally) }
            rows.append((StrategyKey(partition: first.key.partition, strategy: otherStrategies), others))
        }
        return rows
    }

    // MARK: Lines

    private enum Kind: String {
        case gauge
        case counter
        case histogram
    }

    private var name = ""

    private mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// A number of each partition that was ever heard.
    private mutating func heard(
        _ partitions: [MonitoredPartition], _ name: String, _ help: String, _ kind: Kind = .gauge,
        _ value: (Heartbeat) -> Int64
    ) {
        family(name, kind, help)
        for one in partitions {
            guard let heartbeat = one.heartbeat else { continue }
            sample([("partition", one.name)], value(heartbeat))
        }
    }

    private mutating func sample(_ labels: [(String, String)], _ value: Int64, suffix: String = "") {
        line(labels, "\(value)", suffix)
    }

    private mutating func sample(_ labels: [(String, String)], seconds value: Microseconds, suffix: String = "") {
        line(labels, MetricsText.seconds(value), suffix)
    }

    private mutating func line(_ labels: [(String, String)], _ value: String, _ suffix: String) {
        let pairs = labels.map { "\($0)=\"\(MetricsText.escaped($1))\"" }.joined(separator: ",")
        text += "\(name)\(suffix)\(pairs.isEmpty ? "" : "{\(pairs)}") \(value)\n"
    }

    private mutating func histogram(_ histogram: LatencyHistogram, _ labels: [(String, String)]) {
        // Powers of two, since buckets end there: 0.5 ms, 1 ms, … 67 s.
        for exponent in 9...26 {
            let bound = Microseconds(1 << exponent)
            sample(
                labels + [("le", MetricsText.seconds(bound))], histogram.count(upTo: bound), suffix: "_bucket")
        }
        sample(labels + [("le", "+Inf")], histogram.count, suffix: "_bucket")
        sample(labels, seconds: histogram.sum, suffix: "_sum")
        sample(labels, histogram.count, suffix: "_count")
    }

    private static func seconds(_ duration: Microseconds) -> String {
        let (whole, rest) = duration.count.quotientAndRemainder(dividingBy: 1_000_000)
        let digits = String(rest)
        return "\(whole)." + String(repeating: "0", count: 6 - digits.count) + digits
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

extension StrategyKey {
    fileprivate var labels: [(String, String)] { [("partition", partition), ("strategy", strategy)] }
}
