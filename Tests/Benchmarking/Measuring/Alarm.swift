import CTimers
import Glibc

/// A timer that is waited for together with sockets. `poll` alone knows milliseconds only.
final class Alarm {
    /// Readable from the moment that was set.
    let descriptor: Int32

    init() throws(BenchmarkFailure) {
        descriptor = ctimers_open()
        guard descriptor >= 0 else { throw BenchmarkFailure(system: "making a timer") }
    }

    deinit { close(descriptor) }

    /// - Parameter moment: On the clock of `Clock.now()`, in nanoseconds; nil for never.
    func set(_ moment: Int64?) throws(BenchmarkFailure) {
        // 0 would be never; a moment that has passed is due at once.
        guard ctimers_set(descriptor, moment.map { max($0, 1) } ?? 0) == 0 else {
            throw BenchmarkFailure(system: "setting a timer")
        }
    }
}
