/// Counts what is taken off connections and handed over for them, by the descriptors of their sockets. Counted by one
/// thread, and looked at by another.
package final class ConnectionTraffic: Sendable {
    private let bytes = Locked(Bytes())

    private struct Bytes {
        var taken: [Int32: Int64] = [:]
        var handed: [Int32: Int64] = [:]
    }

    package init() {}

    package func took(_ count: Int, from descriptor: Int32) {
        bytes.withLock { $0.taken[descriptor, default: 0] += Int64(count) }
    }

    package func handed(_ count: Int, to descriptor: Int32) {
        bytes.withLock { $0.handed[descriptor, default: 0] += Int64(count) }
    }

    /// What was taken since this was last asked.
    func takeTaken() -> [Int32: Int64] {
        bytes.withLock { bytes in
            defer { bytes.taken = [:] }
            return bytes.taken
        }
    }

    /// What was handed over since this was last asked.
    func takeHanded() -> [Int32: Int64] {
        bytes.withLock { bytes in
            defer { bytes.handed = [:] }
            return bytes.handed
        }
    }
}
