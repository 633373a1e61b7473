/// What the broker says of the regular session, and for how long that holds.
package struct MarketHours: Equatable, Sendable {
    package let isOpen: Bool
    /// When the session opens or closes next, by the broker's clock.
    package let nextChange: Timestamp
    private let holdsUntil: MonotonicTime

    /// An answer holds at least for the decision that waited for it.
    private static let holdsAtLeast = Microseconds.seconds(1)

    /// - Parameters:
    ///   - timestamp: The broker's own time.
    ///   - askedAt: When the broker was asked, so that what it says never holds for too long.
    ///   - receivedAt: When it answered.
    package init(
        isOpen: Bool, timestamp: Timestamp, nextOpen: Timestamp, nextClose: Timestamp, askedAt: MonotonicTime,
        receivedAt: MonotonicTime
    ) {
        self.isOpen = isOpen
        nextChange = isOpen ? nextClose : nextOpen
        // In microseconds no two moments are too far apart for the difference to fit.
        let left = Microseconds(nextChange.nanoseconds / 1000 - timestamp.nanoseconds / 1000)
        holdsUntil = max(askedAt + left, receivedAt + MarketHours.holdsAtLeast)
    }

    package func hold(at now: MonotonicTime) -> Bool { now < holdsUntil }
}
