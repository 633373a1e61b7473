package import StrictJSON

/// What a worker last told of itself.
package struct Heartbeat: Equatable, Sendable {
    package let stream: String
    /// What the worker calls its partition.
    package let partition: String
    package let seq: Int64
    package let strategies: [String: Int64]
    package let pending: Int64
    package let oldestPendingMilliseconds: Int64
    package let unknown: Int64
    /// Messages refused since the worker's start.
    package let refused: Int64
    /// `all`, and names of strategies.
    package let halted: [String]
    package let openOrders: Int64?
    package let isSending: Bool
    package let isDraining: Bool
    package let storageFault: String?
    package let uptimeSeconds: Int64?
    package let at: String?

    /// Nil for what is no heartbeat as the contract has it.
    package init?(_ message: JSONValue) {
        guard let stream = message["stream"]?.string, let partition = message["partition"]?.string,
            let seq = message["seq"]?.integer, let pending = message["pending"]?.integer,
            let oldest = message["oldest_pending_ms"]?.integer, let unknown = message["unknown"]?.integer
        else { return nil }
        self.stream = stream
        self.partition = partition
        self.seq = seq
        strategies = (message["strategies"]?.members ?? []).reduce(into: [:]) { $0[$1.key] = $1.value.integer }
        self.pending = pending
        oldestPendingMilliseconds = oldest
        self.unknown = unknown
        refused = message["refused"]?.integer ?? 0
        halted = (message["halted"]?.array ?? []).compactMap(\.string)
        openOrders = message["open_orders"]?.integer
        isSending = message["sending"]?.bool ?? false
        isDraining = message["draining"]?.bool ?? false
        storageFault = message["storage_fault"]?.string
        uptimeSeconds = message["uptime_s"]?.integer
        at = message["at"]?.string
    }
}

/// A halt in force, as the worker's `status` tells it.
package struct HaltNotice: Equatable, Sendable {
    /// The JSON as it came.
    package let json: JSONValue

    package init(_ json: JSONValue) { self.json = json }
}
