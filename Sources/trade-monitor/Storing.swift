import Foundation
import HostSystem
import MonitorStore
import Monitoring
import TradingCore

/// Takes what was heard, stores it, and then counts it: what is shown is stored. On a thread of its own.
final class Storing: Sendable {
    private let inbox: Inbox
    private let store: MonitorStore
    private let state: Locked<MonitoredState>
    private let retention: Retention
    private let log: MonitorLog
    private let progress = Locked(Progress.working)
    /// How often the outcomes in the store are counted.
    private static let conditionInterval = Microseconds.seconds(10)

    private enum Progress {
        case working
        case toEnd
        case ended
    }

    init(
        _ inbox: Inbox, into store: MonitorStore, _ state: Locked<MonitoredState>, retention: Retention,
        log: MonitorLog
    ) {
        self.inbox = inbox
        self.store = store
        self.state = state
        self.retention = retention
        self.log = log
    }

    func start() {
        Thread.detachNewThread { [self] in run() }
    }

    /// Stores what has come so far, and ends.
    func finish() {
        progress.withLock { $0 = .toEnd }
        // A disk that hangs must not keep the monitor from ending: what is not stored is told again.
        for _ in 0..<500 where progress.withLock({ $0 != .ended }) { usleep(10_000) }
    }

    private func run() {
        let clock = SystemClock()
        var toStore: [Inbox.Heard] = []
        var maintenanceDue = clock.monotonic()
        var conditionDue = clock.monotonic()
        var retryAt = clock.monotonic()
        while true {
            let isLast = progress.withLock { $0 != .working }
            let content = inbox.take(heardToo: toStore.isEmpty)
            toStore += content.heard
            let now = clock.monotonic()
            if !toStore.isEmpty, now >= retryAt || isLast {
                toStore = store(toStore, at: clock.now())
                if !toStore.isEmpty { retryAt = now + .seconds(1) }
            }
            state.withLock { state in
                for (partition, notice) in content.notices { Storing.note(notice, of: partition, in: &state) }
            }
            if isLast { break }
            if now >= maintenanceDue {
                maintenanceDue = now + .seconds(1)
                let isConditionDue = now >= conditionDue
                if isConditionDue { conditionDue = now + Storing.conditionInterval }
                maintain(isAllStored: toStore.isEmpty, countsToo: isConditionDue, at: clock.now())
            }
            usleep(50_000)
        }
        progress.withLock { $0 = .ended }
    }

    /// - Returns: What could not be stored.
    private func store(_ heard: [Inbox.Heard], at now: Timestamp) -> [Inbox.Heard] {
        var rest = heard[...]
        do throws(MonitorStoreFault) {
            while let first = rest.first {
                if case .wentBack(let partition, let last) = first {
                    try store.goBack(partition, to: last, at: now)
                    rest.removeFirst()
                    state.withLock { state in
                        state.partitions[partition]?.goBack()
                        state.countAnew(partition)
                    }
                    continue
                }
                let outcomes = rest.prefix(while: \.isOutcome).compactMap(\.outcome)
                let counted = try store.append(outcomes, receivedAt: now)
                rest.removeFirst(outcomes.count)
                state.withLock { state in
                    for one in counted {
                        if one.beginsAnew { state.countAnew(one.outcome.partition) }
                        state.count(one.outcome, after: one.previous)
                    }
                }
            }
            note(fault: nil)
        } catch {
            note(fault: error)
        }
        return Array(rest)
    }

    /// - Parameters:
    ///   - isAllStored: Whether nothing waits that could not be stored.
    ///   - countsToo: Whether it is looked at how much there is.
    private func maintain(isAllStored: Bool, countsToo: Bool, at now: Timestamp) {
        do throws(MonitorStoreFault) {
            _ = try store.prune(retention, at: now)
            if countsToo {
                let condition = try store.condition()
                state.withLock { state in
                    state.store.bytes = condition.bytes
                    state.store.outcomes = condition.outcomes
                    state.store.oldestReceivedAt = condition.oldestReceivedAt
                }
            }
            if isAllStored { note(fault: nil) }
        } catch {
            note(fault: error)
        }
    }

    private func note(fault: MonitorStoreFault?) {
        let isNew = state.withLock { state in
            defer { state.store.fault = fault?.description }
            return state.store.fault != fault?.description
        }
        if isNew { log.line(fault.map { "nothing can be stored: \($0)" } ?? "can store again") }
    }

    private static func note(_ notice: Inbox.Notice, of name: String, in state: inout MonitoredState) {
        guard var partition = state.partitions[name] else { return }
        switch notice {
        case .heartbeat(let heartbeat, let time): partition.hear(heartbeat, at: time)
        case .gap: partition.gaps += 1
        case .replayed(let count): partition.replayedOutcomes += count
        case .newStream: partition.newStreams += 1
        case .unreadable: partition.unreadableMessages += 1
        case .halts(let halts): partition.halts = halts
        case .fault(let fault): partition.fault = fault
        }
        state.partitions[name] = partition
    }
}

extension Inbox.Heard {
    fileprivate var outcome: SeenOutcome? {
        if case .outcome(let outcome) = self { outcome } else { nil }
    }

    fileprivate var isOutcome: Bool { outcome != nil }
}
