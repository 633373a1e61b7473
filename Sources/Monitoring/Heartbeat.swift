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

    /// No count and no milliseconds of a worker are larger, so that nothing that is reckoned with them overflows.
    static let numberMax: Int64 = 1_000_000_000_000

    /// Nil for what is no heartbeat as the contract has it.
    package init?(_ message: JSONValue) {
        guard let stream = message["stream"]?.string, let partition = message["partition"]?.string,
            let seq = Heartbeat.number("seq", message), let pending = Heartbeat.number("pending", message),
            let oldest = Heartbeat.number("oldest_pending_ms", message),
            let unknown = Heartbeat.number("unknown", message)
        else { return nil }
        self.stream = stream
        self.partition = partition
        self.seq = seq
        strategies = (message["strategies"]?.members ?? []).reduce(into: [:]) { $0[$1.key] = $1.value.integer }
        self.pending = pending
        oldestPendingMilliseconds = oldest
        self.unknown = unknown
        refused = Heartbeat.number("refused", message) ?? 0
        halted = (message["halted"]?.array ?? []).compactMap(\.string)
        openOrders = Heartbeat.number("open_orders", message)
        isSending = message["sending"]?.bool ?? false
        isDraining = message["draining"]?.bool ?? false
        storageFault = message["storage_fault"]?.string
        uptimeSeconds = Heartbeat.number("uptime_s", message)
        at = message["at"]?.string
    }

    /// Nil where it is not there, or out of range.
    private static func number(_ name: String, _ message: JSONValue) -> Int64? {
        message[name]?.integer.flatMap { (0...numberMax).contains($0) ? $0 : nil }
    }
}

/// A halt in force, as the worker's `status` tells it.
package struct HaltNotice: Equatable, Sendable {
    /// The JSON as it came.
    package let json: JSONValue

    package init(_ json: JSONValue) { self.json = json }
}
