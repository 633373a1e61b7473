import TradingCore

/// Requests per minute, counted in windows of one minute. Source: "Usage limits" in Alpaca's documents.
struct RateLimit: Sendable {
    /// What Alpaca allows.
    static let usual = 200

    /// Zero lets everything through, and the headers then tell of an allowance that is never used up.
    var limit: Int
    private var windowEnd: Int64 = 0
    private var used = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Counts one request.
    /// - Returns: Whether it is allowed, and the headers that every answer carries.
    mutating func count(at time: Timestamp) -> (isAllowed: Bool, headers: [(name: String, value: String)]) {
        let second = time.nanoseconds / 1_000_000_000
        if second >= windowEnd {
            windowEnd = second + 60
            used = 0
        }
        let isOff = limit == 0
        if !isOff { used += 1 }
        let shown = isOff ? RateLimit.usual : limit
        let remaining = isOff ? RateLimit.usual - 1 : max(limit - used, 0)
        return (
            isOff || used <= limit,
            [
                ("X-Ratelimit-Limit", String(shown)), ("X-Ratelimit-Remaining", String(remaining)),
                ("X-Ratelimit-Reset", String(windowEnd)),
            ]
        )
    }
}
