/// A reading of a clock that only goes forwards, whatever is done to the calendar: microseconds since the machine's
/// boot, sleep included. All durations are differences of two such readings.
package struct MonotonicTime: Hashable, Comparable, Sendable {
    package let microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.microseconds < right.microseconds
    }

    package static func + (time: MonotonicTime, duration: Microseconds) -> MonotonicTime {
        MonotonicTime(microseconds: time.microseconds + duration.count)
    }

    package static func - (left: MonotonicTime, right: MonotonicTime) -> Microseconds {
        Microseconds(left.microseconds - right.microseconds)
    }
}

/// A length of time in microseconds.
package struct Microseconds: Hashable, Comparable, Sendable {
    package let count: Int64

    package init(_ count: Int64) {
        self.count = count
    }

    package static let zero = Microseconds(0)

    package static func milliseconds(_ count: Int64) -> Microseconds { Microseconds(count * 1000) }
    package static func seconds(_ count: Int64) -> Microseconds { Microseconds(count * 1_000_000) }

    /// Whole milliseconds, rounded up, so that who waits that long has waited long enough.
    package var millisecondsRoundedUp: Int64 { (count + 999) / 1000 }

    package static func < (left: Microseconds, right: Microseconds) -> Bool { left.count < right.count }
    package static func + (left: Microseconds, right: Microseconds) -> Microseconds {
        Microseconds(left.count + right.count)
    }
    package static func / (duration: Microseconds, divisor: Int64) -> Microseconds {
        Microseconds(duration.count / divisor)
    }
}
