/// Keeps the requests to the broker within the account's allowance: they wait their turn rather than run into a 429.
///
/// Source: Alpaca, "Usage limits": 200 requests a minute, orders and look-ups together; the answers' `X-RateLimit-*`
/// headers tell how many are left, counting also what others send with the same key.
package struct RequestPacing: Sendable {
    /// How many requests may begin within a minute; nil for no limit.
    private let perMinute: Int?
    /// When the requests of the last minute began, oldest first.
    private var begun: [MonotonicTime] = []
    /// Until when the broker says that there is no allowance left.
    private var exhaustedUntil: MonotonicTime?

    private static let window = Microseconds.seconds(60)

    package init(perMinute: Int?) {
        self.perMinute = perMinute
    }

    /// How many requests may begin now.
    package mutating func allowance(at now: MonotonicTime) -> Int {
        guard let perMinute else { return .max }
        if let until = exhaustedUntil {
            if now < until { return 0 }
            exhaustedUntil = nil
        }
        forgetOld(at: now)
        return max(0, perMinute - begun.count)
    }

    /// When the next request may begin, where that is not now.
    package mutating func nextAllowance(after now: MonotonicTime) -> MonotonicTime? {
        guard allowance(at: now) == 0 else { return nil }
        if let until = exhaustedUntil { return until }
        return begun.first.map { $0 + RequestPacing.window }
    }

    package mutating func begin(at now: MonotonicTime) {
        guard perMinute != nil else { return }
        forgetOld(at: now)
        begun.append(now)
    }

    /// Takes note of an answer's headers.
    /// - Parameters:
    ///   - remaining: Requests left in the broker's own window.
    ///   - resetSeconds: When the broker's window begins anew, in seconds since 1970 on its calendar.
    ///   - wasRefused: Whether the answer was a 429.
    package mutating func note(
        remaining: Int64?, resetSeconds: Int64?, wasRefused: Bool, at now: ClockReading
    ) {
        guard perMinute != nil, wasRefused || remaining == 0 else { return }
        // Our calendar and the broker's may differ, so the wait is kept within one window of the broker's.
        let (seconds, overflow) = (resetSeconds ?? .max).subtractingReportingOverflow(
            now.moment.nanoseconds / 1_000_000_000)
        exhaustedUntil = now.monotonic + .seconds(overflow ? 60 : min(max(seconds, 1), 60))
    }

    private mutating func forgetOld(at now: MonotonicTime) {
        guard let first = begun.first, now - first >= RequestPacing.window else { return }
        begun.removeAll { now - $0 >= RequestPacing.window }
    }
}
