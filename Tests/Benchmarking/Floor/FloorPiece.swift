/// One of the pieces that no worker can do without, measured bare.
package struct FloorPiece: Sendable {
    package enum Kind: String, Sendable {
        /// Overwriting 4 KiB of a file and waiting until it is on the disk.
        case fdatasync
        /// A commit of one row of 1 kB with WAL and synchronous=FULL.
        case commit
        /// An order posted and answered over a kept connection, from a plain socket to the benchmark's own broker.
        case httpExchange = "http_exchange"
        /// A decision's size sent from a DEALER to a ROUTER and an answer back, over TCP.
        case zeroMQRoundTrip = "zeromq_round_trip"
    }

    package let kind: Kind
    /// Where it was measured; nil where no disk takes part.
    package let location: String?
    package let latency: LatencySummary
    /// In microseconds, of this process: the other side's is not in it.
    package let processorTime: Double

    /// Measures `step` for about `seconds`, after a few that do not count.
    static func measure(
        _ kind: Kind, at location: String? = nil, seconds: Double, _ step: () throws -> Void
    ) throws -> FloorPiece {
        for _ in 0..<50 { try step() }
        var latencies = Latencies()
        var count = 0
        let processorTime = Clock.processorTime()
        let end = Clock.now() + Int64(seconds * 1_000_000_000)
        var now = Clock.now()
        while now < end {
            let start = now
            try step()
            now = Clock.now()
            latencies.record(nanoseconds: now - start)
            count += 1
        }
        let used = Clock.processorTime() - processorTime
        guard let summary = latencies.summary else { throw BenchmarkFailure("\(kind.rawValue) was never measured") }
        return FloorPiece(
            kind: kind, location: location, latency: summary, processorTime: Double(used) / Double(count) / 1000)
    }
}
