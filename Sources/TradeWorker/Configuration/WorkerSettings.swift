package import TradingCore

/// How the worker behaves; set at its start.
package struct WorkerSettings: Sendable {
    package var partition: PartitionName
    /// How long a decision that names no deadline stays fresh.
    package var maxAge: Microseconds = .seconds(300)
    /// How many accepted decisions may wait; more are refused with `queue_full`.
    package var queueMax = 100_000
    /// How many requests a minute go to the broker; nil for no limit.
    package var requestsPerMinute: Int?
    /// How long after a lost answer an order must be missing to count as absent.
    package var settleTime: Microseconds = .seconds(30)
    package var onUnknown: OnUnknown = .continue
    /// When the worker halts all trading by itself.
    package var automaticHalt = AutomaticHalt.Thresholds()
    /// Whether waiting decisions wait while the worker has halted trading by itself, instead of being refused.
    package var haltHolds = false
    package var heartbeatInterval: Microseconds = .seconds(1)

    /// What happens to a strategy's next decisions while one of its attempts is unknown.
    package enum OnUnknown: String, CaseIterable, Sendable {
        case `continue`
        /// They wait; other strategies go on.
        case holdStrategy = "hold-strategy"
    }

    package init(partition: PartitionName) {
        self.partition = partition
    }
}
