import Glibc
package import TradingCore

/// The machine's clocks.
package struct SystemClock: Sendable {
    package init() {}

    /// The calendar.
    package func now() -> Timestamp {
        let time = read(CLOCK_REALTIME)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The clock that only goes forwards.
    package func monotonic() -> MonotonicTime {
        let time = read(CLOCK_BOOTTIME)
        return MonotonicTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    private func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        let result = clock_gettime(clock, &time)
        precondition(result == 0, "Linux has both clocks since 2.6.39")
        return time
    }

    /// A name for the time since the machine was started: readings of the monotonic clock compare only within one.
    package static func bootID() throws(SystemError) -> String {
        let bytes = try Files.read("/proc/sys/kernel/random/boot_id", bytesMax: 64)
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    }
}
