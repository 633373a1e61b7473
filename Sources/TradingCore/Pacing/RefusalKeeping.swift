/// Decides which refused messages are kept in the database, so that a flood of them does not fill the disk: a thousand
/// at once, and a hundred a minute for as long as more come. All are answered and counted.
package struct RefusalKeeping: Sendable {
    /// How many are kept at once after a quiet time.
    package static let burst: Int64 = 1000
    /// How many are kept a minute while more come than that.
    package static let perMinute: Int64 = 100
    /// How many of the newest rows the table holds; older ones are deleted.
    package static let rowsMax: Int64 = 100_000

    private static let interval = Microseconds(60_000_000 / perMinute)
    private static let reportInterval = Microseconds.seconds(60)

    /// From when on nothing kept so far counts any more. Each row kept moves it on by one interval.
    private var freeFrom: MonotonicTime?
    private var leftOut = 0
    private var lastReport: MonotonicTime?

    package init() {}

    /// Whether one more would be kept now.
    package func mayKeep(at now: MonotonicTime) -> Bool {
        guard let freeFrom else { return true }
        return freeFrom - now <= Microseconds(RefusalKeeping.interval.count * (RefusalKeeping.burst - 1))
    }

    /// Takes note of one that is refused.
    /// - Returns: Whether to keep it.
    package mutating func note(at now: MonotonicTime) -> Bool {
        guard mayKeep(at: now) else {
            leftOut += 1
            return false
        }
        freeFrom = max(freeFrom ?? now, now) + RefusalKeeping.interval
        return true
    }

    /// How many were not kept since this was last told; nil where there were none, or where it was told within the last
    /// minute.
    package mutating func takeReport(at now: MonotonicTime) -> Int? {
        guard leftOut > 0 else { return nil }
        if let lastReport, now - lastReport < RefusalKeeping.reportInterval { return nil }
        defer { leftOut = 0 }
        lastReport = now
        return leftOut
    }
}
