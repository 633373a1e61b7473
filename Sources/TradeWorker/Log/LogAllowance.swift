import TradingCore

/// How many lines about single outcomes are logged where the log does not follow each decision anyway: with a broker
/// that is down every decision would have one, and thousands a second help nobody.
struct LogAllowance {
    static let perMinute = 60

    private var minute: MonotonicTime?
    private var written = 0
    private var leftOut = 0

    /// Whether one more may be written; where not, it is counted.
    mutating func mayWrite(at now: MonotonicTime) -> Bool {
        if isOver(at: now), leftOut == 0 {
            minute = now
            written = 0
        }
        guard written < LogAllowance.perMinute else {
            leftOut += 1
            return false
        }
        written += 1
        return true
    }

    /// How many were left out in the minute that is over; nil where none were.
    mutating func takeReport(at now: MonotonicTime) -> Int? {
        guard leftOut > 0, isOver(at: now) else { return nil }
        defer {
            minute = now
            written = 0
            leftOut = 0
        }
        return leftOut
    }

    private func isOver(at now: MonotonicTime) -> Bool { minute.map { now - $0 >= .seconds(60) } ?? true }
}
