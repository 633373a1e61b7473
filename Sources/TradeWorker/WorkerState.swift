import OrderResolution
import StrictJSON
import TradeJournal
import TradingCore

/// What the worker tells of itself, in heartbeats and to who asks.
struct WorkerState {
    var stream: String
    var partition: PartitionName
    var seq: Int64
    var strategies: [StrategyName: Int64]
    var pending: Int
    var oldestPendingMilliseconds: Int64
    var unknown: Int
    var refused: Int
    var halted: [Halt]
    var open: Int
    var isAttemptUnderWay: Bool
    var isDraining: Bool
    /// What keeps the worker from storing; nil when nothing does.
    var storageFault: String?
    var lookUps: Int
    /// How many requests the account's allowance lets begin now; nil where none is kept.
    var requestsLeft: Int?
    var uptimeSeconds: Int64
    /// Nil where there is no partition map.
    var partitionMap: PartitionMap?
    var at: Timestamp

    struct PartitionMap {
        var epoch: Int64
        /// Why the file as it is now is not in force, or is no good for this worker.
        var problem: String?
    }
}

extension Worker {
    /// - Parameter halted: The halts in force.
    func state(_ halted: [Halt], at now: ClockReading) -> WorkerState {
        let (seq, strategies) = journal.lastNumbers
        var fault: String?
        if case .failing(let storageFault, _) = storage { fault = storageFault.description }
        let oldest = queue.front.first.map { now.moment.nanoseconds - $0.receivedAt.nanoseconds } ?? 0
        return WorkerState(
            stream: journal.stream, partition: settings.partition, seq: seq, strategies: strategies,
            pending: queue.count, oldestPendingMilliseconds: max(0, oldest / 1_000_000),
            unknown: resolver.orders.unknownCount, refused: refusedCount, halted: halted,
            open: resolver.orders.count,
            isAttemptUnderWay: attempt != nil, isDraining: isDraining, storageFault: fault,
            lookUps: resolver.questionsAsked,
            requestsLeft: settings.requestsPerMinute == nil ? nil : pacing.allowance(at: now.monotonic),
            uptimeSeconds: (now.monotonic - startedAt.monotonic).count / 1_000_000,
            partitionMap: partitions?.state, at: now.moment)
    }

    /// The worker's condition in one line, for who looks at its service.
    var summary: String {
        var parts = [
            "\(queue.count) waiting, \(resolver.orders.count) open orders, \(resolver.orders.unknownCount) unknown"
        ]
        if !haltedAtHeartbeat.isEmpty {
            parts.append("halted: " + haltedAtHeartbeat.map(\.scopeText).joined(separator: ", "))
        }
        if case .failing(let fault, _) = storage { parts.append("nothing is taken or sent: \(fault)") }
        if isDraining { parts.append("stopping") }
        return parts.joined(separator: "; ")
    }

    func beatHeart(_ halted: [Halt], at now: ClockReading) throws(WorkerFault) {
        heartbeatDue = now.monotonic + settings.heartbeatInterval
        haltedAtHeartbeat = halted
        do throws(EdgeFault) {
            try topic.publish(
                topic: "heartbeat|\(settings.partition)", body: StateFrame.body(.heartbeat, state(halted, at: now)))
        } catch {
            throw .edge(error)
        }
    }
}

/// The JSON of heartbeats and of answers to `status`: the same members, and in a status what the halts are about.
enum StateFrame {
    enum Kind: String {
        case heartbeat
        case status
    }

    static func body(_ kind: Kind, _ state: WorkerState) -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.object { writer in
            writer.member("v", 1)
            writer.member("type", kind.rawValue)
            writer.member("stream", state.stream)
            writer.member("partition", state.partition.text)
            writer.member("seq", state.seq)
            writer.key("strategies")
            writer.object { writer in
                for (name, strategySeq) in state.strategies.sorted(by: { $0.key.text < $1.key.text }) {
                    writer.key(name.text)
                    writer.number(strategySeq)
                }
            }
            writer.member("pending", state.pending)
            writer.member("oldest_pending_ms", state.oldestPendingMilliseconds)
            writer.member("unknown", state.unknown)
            writer.member("refused", state.refused)
            writer.key("halted")
            writer.array { writer in
                for halt in state.halted { writer.string(halt.scopeText) }
            }
            if kind == .status {
                writer.key("halts")
                writer.array { writer in
                    for halt in state.halted { halt.json.write(to: &writer) }
                }
            }
            writer.member("open_orders", state.open)
            writer.member("sending", state.isAttemptUnderWay)
            writer.member("draining", state.isDraining)
            writer.member("storage_fault", state.storageFault)
            writer.member("look_ups", state.lookUps)
            writer.member("requests_left", state.requestsLeft)
            writer.member("uptime_s", state.uptimeSeconds)
            if let map = state.partitionMap {
                writer.key("partition_map")
                writer.object { writer in
                    writer.member("epoch", map.epoch)
                    if let problem = map.problem { writer.member("problem", problem) }
                }
            }
            writer.member("at", state.at.text)
        }
        return writer.bytes
    }
}
