import Glibc
import TradingCore

/// The calendar's time, read once and carried on by a clock that never goes back.
struct SystemClock: Sendable {
    private let startOfCalendar: Int64
    private let startOfMonotonic: Int64

    init() {
        startOfCalendar = SystemClock.read(CLOCK_REALTIME)
        startOfMonotonic = SystemClock.read(CLOCK_MONOTONIC)
    }

    func now() -> Timestamp {
        Timestamp(nanoseconds: startOfCalendar + SystemClock.read(CLOCK_MONOTONIC) - startOfMonotonic)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
