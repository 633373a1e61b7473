package import StrictJSON
package import TradingCore

/// All that a monitor knows, apart from the outcomes themselves.
package struct MonitoredState: Equatable, Sendable {
    package var partitions: [String: MonitoredPartition] = [:]
    /// Since the store began.
    package var tallies: [StrategyKey: StrategyTally] = [:]
    /// By partition, since the monitor's start.
    package var latencies: [String: PeriodTally] = [:]
    package var store = StoreCondition()
    /// Why the partition map is not followed as it is now; nil where it is.
    package var mapFault: String?
    /// When the monitor was started.
    package let startedAt: Timestamp

    package init(startedAt: Timestamp) {
        self.startedAt = startedAt
    }

    /// How the monitor's own store is.
    package struct StoreCondition: Equatable, Sendable {
        package var bytes: Int64 = 0
        package var outcomes: Int64 = 0
        /// When the oldest outcome came that is still kept.
        package var oldestReceivedAt: String?
        /// Why nothing can be stored; nil while it can. What is not stored is not shown either.
        package var fault: String?

        package init() {}
    }

    /// Counts an outcome that is stored now.
    package mutating func count(_ outcome: SeenOutcome, after previous: DecisionState?) {
        tallies[outcome.owner, default: StrategyTally()].count(outcome, after: previous)
        latencies[outcome.partition, default: PeriodTally()].count(outcome, after: previous)
        partitions[outcome.partition]?.reach(StreamPosition(stream: outcome.stream, seq: outcome.seq))
    }

    /// What a partition's worker has is counted from the first again.
    package mutating func countAnew(_ partition: String) {
        tallies = tallies.filter { $0.key.partition != partition }
    }

    /// The sum over a partition's strategies.
    package func total(of partition: String) -> StrategyTally {
        tallies.reduce(into: StrategyTally()) { if $1.key.partition == partition { $0.add($1.value) } }
    }

    /// Whether every partition is heard, and what is heard can be stored.
    package func isHealthy(at now: MonotonicTime) -> Bool {
        store.fault == nil && partitions.values.allSatisfy { $0.isFresh(at: now) }
    }
}

// MARK: JSON

extension MonitoredState {
    /// The answer of `/healthz`: which partitions are heard, and which are not.
    package func healthJSON(at now: MonotonicTime) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("status", isHealthy(at: now) ? "ok" : "failing")
            writer.key("failing")
            writer.array { writer in
                for name in partitions.keys.sorted() where partitions[name]?.isFresh(at: now) == false {
                    writer.string(name)
                }
            }
            writer.member("store_fault", store.fault)
            writer.key("partitions")
            writer.object { writer in
                for (name, partition) in partitions.sorted(by: { $0.key < $1.key }) {
                    writer.key(name)
                    writer.object { writer in
                        writer.member("fresh", partition.isFresh(at: now))
                        writer.member("silent_ms", partition.silence(at: now).count / 1000)
                        writer.member("ever_heard", partition.heartbeat != nil)
                        writer.member("fault", partition.fault)
                    }
                }
            }
        }
        return writer.bytes
    }

    /// No more strategies are in one answer.
    private static let strategiesMax = 1000

    /// The answer of `/api/state`.
    package func json(at now: MonotonicTime, _ time: Timestamp, recent: [StrategyKey: PeriodTally]) -> [UInt8] {
        var writer = JSONWriter(reserving: 8192)
        writer.object { writer in
            writer.member("at", time.text)
            writer.member("started_at", startedAt.text)
            writer.member("healthy", isHealthy(at: now))
            writer.member("map_fault", mapFault)
            writer.key("store")
            writer.object { writer in
                writer.member("bytes", store.bytes)
                writer.member("outcomes", store.outcomes)
                writer.member("oldest_received_at", store.oldestReceivedAt)
                writer.member("fault", store.fault)
            }
            writer.key("partitions")
            writer.array { writer in
                for (name, partition) in partitions.sorted(by: { $0.key < $1.key }) {
                    writer.object { write(partition, total(of: name), to: &$0, at: now) }
                }
            }
            let keys = strategyKeys
            writer.key("strategies")
            writer.array { writer in
                for key in keys.prefix(Self.strategiesMax) { writer.object { write(key, recent[key], to: &$0) } }
            }
            writer.member("strategies_left_out", max(0, keys.count - Self.strategiesMax))
        }
        return writer.bytes
    }

    /// Strategies with outcomes, and those that a worker knows.
    private var strategyKeys: [StrategyKey] {
        var keys = Set(tallies.keys)
        for (name, partition) in partitions {
            for strategy in partition.heartbeat?.strategies.keys ?? [:].keys {
                keys.insert(StrategyKey(partition: name, strategy: strategy))
            }
        }
        return keys.sorted()
    }

    private func write(
        _ partition: MonitoredPartition, _ total: StrategyTally, to writer: inout JSONWriter, at now: MonotonicTime
    ) {
        writer.member("partition", partition.name)
        writer.member("outcomes_endpoint", partition.outcomesEndpoint)
        writer.member("intake_endpoint", partition.intakeEndpoint)
        writer.member("encrypted", partition.isEncrypted)
        writer.member("fresh", partition.isFresh(at: now))
        writer.member("silent_ms", partition.silence(at: now).count / 1000)
        writer.member("fault", partition.fault)
        writer.key("problems")
        writer.array { writer in
            for problem in partition.problems(at: now) { writer.string(problem.rawValue) }
        }
        writer.member("stream", partition.stream)
        writer.member("seq", partition.seq)
        writer.member("missing", partition.missing)
        writer.member("gaps", partition.gaps)
        writer.member("replayed", partition.replayedOutcomes)
        writer.member("went_back", partition.wentBack)
        writer.key("heartbeat")
        if let heartbeat = partition.heartbeat { heartbeat.write(to: &writer) } else { writer.null() }
        writer.key("halts")
        writer.array { writer in
            for halt in partition.halts { halt.json.write(to: &writer) }
        }
        writer.key("total")
        writer.object { total.writeMembers(to: &$0) }
    }

    private func write(_ key: StrategyKey, _ recent: PeriodTally?, to writer: inout JSONWriter) {
        let heartbeat = partitions[key.partition]?.heartbeat
        writer.member("partition", key.partition)
        writer.member("strategy_name", key.strategy)
        writer.member("halted", heartbeat?.halts(key.strategy) ?? false)
        (tallies[key] ?? StrategyTally()).writeMembers(to: &writer)
        writer.key("recent")
        writer.object { (recent ?? PeriodTally()).writeMembers(to: &$0) }
    }
}

extension Heartbeat {
    /// Whether a strategy is halted, by itself or with all.
    package func halts(_ strategy: String) -> Bool {
        halted.contains { $0 == "all" || $0 == strategy }
    }

    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("stream", stream)
            writer.member("partition", partition)
            writer.member("seq", seq)
            writer.member("pending", pending)
            writer.member("oldest_pending_ms", oldestPendingMilliseconds)
            writer.member("unknown", unknown)
            writer.member("refused", refused)
            writer.key("halted")
            writer.array { writer in
                for scope in halted { writer.string(scope) }
            }
            writer.member("open_orders", openOrders)
            writer.member("sending", isSending)
            writer.member("draining", isDraining)
            writer.member("storage_fault", storageFault)
            writer.member("uptime_s", uptimeSeconds)
            writer.member("at", at)
        }
    }
}

extension StrategyTally {
    fileprivate func writeMembers(to writer: inout JSONWriter) {
        writer.member("outcomes", outcomes)
        writer.member("pending", pending)
        writer.member("unknown", unknown)
        writer.member("success", success)
        writer.member("partial", partial)
        writer.member("failed", failed)
        writer.member("refused", refused)
        writer.member("last_at", lastAt?.text)
    }
}

extension PeriodTally {
    /// Counts, and percentiles in microseconds.
    package func writeMembers(to writer: inout JSONWriter) {
        writer.member("success", success)
        writer.member("partial", partial)
        writer.member("failed", failed)
        writer.member("refused", refused)
        writer.member("unknown", unknown)
        writer.key("answer_us")
        answer.write(to: &writer)
        writer.key("completion_us")
        completion.write(to: &writer)
    }
}

extension LatencyHistogram {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("count", count)
            writer.member("p50", percentile(perMille: 500)?.count)
            writer.member("p95", percentile(perMille: 950)?.count)
            writer.member("p99", percentile(perMille: 990)?.count)
        }
    }
}
