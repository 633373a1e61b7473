import Foundation

/// Where SQLite takes random numbers and the time from, once they are to repeat. It has one such source for the whole
/// program, whatever connection asks.
final class RepeatableSources: @unchecked Sendable {
    static let shared = RepeatableSources()

    private let lock = NSLock()
    private var random: SeededRandom?
    private var time: Int64?

    /// - Parameter time: In milliseconds since 1970.
    func set(seed: UInt64, time: Int64) {
        lock.withLock {
            random = SeededRandom(seed: seed)
            self.time = time
        }
    }

    /// - Returns: Whether there are any; without, nothing has been written.
    func fillWithRandomBytes(_ target: UnsafeMutableRawBufferPointer) -> Bool {
        lock.withLock {
            guard random != nil else { return false }
            for place in target.indices { target[place] = UInt8(truncatingIfNeeded: random?.next() ?? 0) }
            return true
        }
    }

    /// The time as SQLite counts it: in milliseconds since the Julian day 0.
    var julianTime: Int64? {
        lock.withLock { time.map { $0 + 210_866_760_000_000 } }
    }
}

extension SimulatedDisk {
    /// Makes repeatable what SQLite makes up itself, from now on and in the whole program: the salts of its logs,
    /// `random()` and `randomblob()` come from a seed, and `'now'` stays at one moment. Two runs then give the same
    /// bytes, provided that no other thread uses SQLite meanwhile; so it is for programs that do nothing but simulate.
    /// - Parameter time: The moment, in milliseconds since 1970.
    package static func repeatWhatSQLiteMakesUp(seed: UInt64, time: Int64) {
        SimulatedFileSystem.install()
        RepeatableSources.shared.set(seed: seed, time: time)
        SimulatedFileSystem.forgetRandomNumbers()
    }
}
