package import TradingCore

/// What a monitor knows of one partition.
package struct MonitoredPartition: Equatable, Sendable {
    /// What an operator should look at, in the words of the page, `/healthz` and the metrics.
    package enum Problem: String, CaseIterable, Sendable {
        /// No heartbeat for `heartbeatPatience`: the worker is down, or the monitor is cut off.
        case notHeard = "not_heard"
        case halted
        case draining
        /// The worker cannot store, so it takes and sends nothing.
        case storageFault = "storage_fault"
        /// Attempts of which nobody knows yet what came.
        case unknown
        /// The monitor has not got all outcomes that the worker has numbered.
        case behind
        /// Another partition's worker answers at these endpoints.
        case otherPartition = "other_partition"
    }

    /// A worker says something every second.
    package static let heartbeatPatience = Microseconds.seconds(5)

    package let name: String
    package let outcomesEndpoint: String
    package let intakeEndpoint: String
    package let isEncrypted: Bool
    package private(set) var heartbeat: Heartbeat?
    package var halts: [HaltNotice] = []
    package private(set) var lastHeard: MonotonicTime
    /// The database followed, and the last of its outcomes that is stored.
    package private(set) var stream: String?
    package private(set) var seq: Int64 = 0

    // Since the monitor's start.
    package var gaps: Int64 = 0
    package var replayedOutcomes: Int64 = 0
    package var unreadableMessages: Int64 = 0
    package var newStreams: Int64 = 0
    /// How often its numbers went back below what was seen: its database was restored from an older copy.
    package var wentBack: Int64 = 0
    /// Why it is not followed at the moment; nil while it is.
    package var fault: String?

    /// - Parameters:
    ///   - position: The last outcome that is stored of it.
    ///   - now: From when on silence counts.
    package init(
        name: String, outcomesEndpoint: String, intakeEndpoint: String, isEncrypted: Bool,
        position: StreamPosition?, at now: MonotonicTime
    ) {
        self.name = name
        self.outcomesEndpoint = outcomesEndpoint
        self.intakeEndpoint = intakeEndpoint
        self.isEncrypted = isEncrypted
        stream = position?.stream
        seq = position?.seq ?? 0
        lastHeard = now
    }

    package mutating func hear(_ heartbeat: Heartbeat, at now: MonotonicTime) {
        self.heartbeat = heartbeat
        lastHeard = now
        if heartbeat.halted.isEmpty { halts = [] }
    }

    /// An outcome is stored.
    package mutating func reach(_ position: StreamPosition) {
        seq = position.stream == stream ? max(seq, position.seq) : position.seq
        stream = position.stream
    }

    /// Its database was restored from an older copy: what it has is told again from the first.
    package mutating func goBack() {
        wentBack += 1
        seq = 0
    }

    /// How long nothing was heard; since the monitor's start where nothing ever was.
    package func silence(at now: MonotonicTime) -> Microseconds { now - lastHeard }

    package func isFresh(at now: MonotonicTime) -> Bool {
        heartbeat != nil && silence(at: now) <= MonitoredPartition.heartbeatPatience
    }

    /// How many outcomes the worker has numbered that are not stored here.
    package var missing: Int64 {
        guard let heartbeat else { return 0 }
        return heartbeat.stream == stream ? max(0, heartbeat.seq - seq) : heartbeat.seq
    }

    package func problems(at now: MonotonicTime) -> [Problem] {
        Problem.allCases.filter { problem in
            switch problem {
            case .notHeard: !isFresh(at: now)
            case .halted: heartbeat?.halted.isEmpty == false
            case .draining: heartbeat?.isDraining == true
            case .storageFault: heartbeat?.storageFault != nil
            case .unknown: (heartbeat?.unknown ?? 0) > 0
            case .behind: missing > 0
            case .otherPartition: heartbeat.map { $0.partition != name } ?? false
            }
        }
    }
}

/// A place in the outcomes of a database.
package struct StreamPosition: Equatable, Sendable {
    package let stream: String
    package let seq: Int64

    package init(stream: String, seq: Int64) {
        self.stream = stream
        self.seq = seq
    }
}
