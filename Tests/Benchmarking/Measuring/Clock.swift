import Glibc

/// The clock that all processes of one machine share, in nanoseconds (CLOCK_MONOTONIC).
package enum Clock {
    package static func now() -> Int64 { read(CLOCK_MONOTONIC) }

    /// What this process has used of the processors, all its threads together, in nanoseconds.
    package static func processorTime() -> Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }

    /// Since this was first asked, in whole seconds.
    package static func elapsedSeconds() -> Int { Int((now() - firstAsked) / 1_000_000_000) }

    private static let firstAsked = now()

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        let result = clock_gettime(clock, &time)
        precondition(result == 0, "Linux has both clocks since 2.6.12")
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
