package import StrictJSON
package import TradingCore

/// One outcome as a worker published it, with what a monitor counts by.
package struct SeenOutcome: Equatable, Sendable {
    /// The partition as the monitor calls it, whatever the worker says of itself.
    package let partition: String
    /// The database whose number `seq` is.
    package let stream: String
    /// The database under which it was told first, as its JSON says: another one for what was told before a restoration.
    package let firstStream: String
    package let seq: Int64
    package let strategySeq: Int64
    package let strategy: String
    package let decisionID: String
    /// Nil for an order with legs.
    package let symbol: String?
    package let result: OutcomeResult
    package let isFinal: Bool
    /// The last word of its topic: the execution's status, or `refused` for what was never tried.
    package let status: String
    /// What went wrong, where something did: the broker's message, else the reason. At most `failureLengthMax` characters.
    package let failure: String?
    package let httpStatusCode: Int64?
    package let at: Timestamp
    /// When the attempt began; nil for what was never tried.
    package let submittedAt: Timestamp?
    /// The whole JSON.
    package let body: String

    package static let failureLengthMax = 300
    /// The status of what was never sent.
    package static let refusedStatus = "refused"

    /// Nil for what is no outcome as the contract has it.
    package init?(_ message: JSONValue, partition: String, stream: String) {
        guard let seq = message["seq"]?.integer,
            let strategySeq = message["strategy_seq"]?.integer, let strategy = message["strategy_name"]?.string,
            let decisionID = message["decision_id"]?.string,
            let result = message["result"]?.string.flatMap(OutcomeResult.init(rawValue:)),
            let isFinal = message["final"]?.bool, let at = message["at"]?.string.flatMap({ Timestamp($0) }),
            (1...Heartbeat.numberMax).contains(seq), (1...Heartbeat.numberMax).contains(strategySeq)
        else { return nil }
        let execution = message["execution"]
        self.partition = partition
        self.stream = stream
        firstStream = message["stream"]?.string ?? stream
        self.seq = seq
        self.strategySeq = strategySeq
        self.strategy = strategy
        self.decisionID = decisionID
        symbol = message["symbol"]?.string
        self.result = result
        self.isFinal = isFinal
        status = execution?["status"]?.string ?? SeenOutcome.refusedStatus
        let failure = execution?["error_message"]?.string ?? message["reason"]?.string
        self.failure = failure.map { String($0.prefix(SeenOutcome.failureLengthMax)) }
        httpStatusCode = execution?["http_status_code"]?.integer
        self.at = at
        submittedAt = execution?["submitted_at"]?.string.flatMap { Timestamp($0) }
        body = message.text
    }

    package var owner: StrategyKey { StrategyKey(partition: partition, strategy: strategy) }

    /// Whether it says that the decision was refused before anything was sent.
    package var isRefusal: Bool { status == SeenOutcome.refusedStatus }

    /// From the attempt's begin to this outcome; nil for what was never tried. A calendar that was set back counts as none.
    package var sinceSubmission: Microseconds? {
        submittedAt.map { Microseconds(max(0, at.nanoseconds / 1000 - $0.nanoseconds / 1000)) }
    }
}

/// A strategy at a partition.
package struct StrategyKey: Hashable, Comparable, Sendable {
    package let partition: String
    package let strategy: String

    package init(partition: String, strategy: String) {
        self.partition = partition
        self.strategy = strategy
    }

    package static func < (left: StrategyKey, right: StrategyKey) -> Bool {
        (left.partition, left.strategy) < (right.partition, right.strategy)
    }
}
