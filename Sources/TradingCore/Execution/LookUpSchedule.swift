/// When an order that is being followed is looked at next: soon after a change, more slowly the longer nothing changes.
package struct FollowSchedule: Equatable, Sendable {
    package private(set) var due: MonotonicTime
    private var lastChange: MonotonicTime

    /// A market order is filled within some 3 to 900 ms (measured on a paper account).
    private static let soonest = Microseconds.milliseconds(100)
    /// How long it is left alone at least, and at most.
    private let shortest: Microseconds
    private let longest: Microseconds

    /// Begins to follow an order that has just changed.
    package init(changedAt now: MonotonicTime) {
        lastChange = now
        due = now + FollowSchedule.soonest
        shortest = FollowSchedule.soonest
        longest = .seconds(60)
    }

    /// Begins to follow the exits of an order that has ended: they may live for weeks, and no decision waits for them.
    package init(exitsAt now: MonotonicTime) {
        lastChange = now
        due = now + .seconds(30)
        shortest = .seconds(30)
        longest = .seconds(600)
    }

    /// Begins to follow an order after a restart, when anything may have happened meanwhile.
    package init(dueAt now: MonotonicTime) {
        lastChange = now
        due = now
        shortest = FollowSchedule.soonest
        longest = .seconds(60)
    }

    package mutating func looked(at now: MonotonicTime, changed: Bool) {
        if changed { lastChange = now }
        due = now + min(max((now - lastChange) / 2, shortest), longest)
    }
}

/// What is known of an attempt whose answer was lost, and when to ask for it again.
///
/// The broker not showing an order soon after a lost answer proves nothing: it may still be on its way. Only when it
/// is missing several times, and the last time after the settle time, was nothing placed.
package struct UnknownCase: Equatable, Sendable {
    /// What a look-up of the order proves.
    package enum Verdict: Equatable, Sendable {
        case stillUnknown
        case absent
    }

    package private(set) var due: MonotonicTime
    /// No earlier than when the last byte of the request can have left.
    private let lastByteLeftBy: MonotonicTime
    private let settleTime: Microseconds
    private var timesAsked = 0
    private var askedLast: MonotonicTime?
    private var timesNotFound = 0

    package static let timesNotFoundMin = 3
    private static let longest = Microseconds.seconds(60)
    private static let hurriedInterval = Microseconds.seconds(10)

    /// - Parameters:
    ///   - lostAt: The end of the attempt, or the first restart after it: the last byte cannot have left later.
    ///   - now: When it is asked for first.
    package init(lostAt: MonotonicTime, settleTime: Microseconds, at now: MonotonicTime) {
        due = now
        lastByteLeftBy = lostAt
        self.settleTime = settleTime
    }

    /// Somebody wants to know now. Whoever wants it again and again does not use up the allowance that decisions need.
    package mutating func hurry(at now: MonotonicTime) {
        let soonest = askedLast.map { max(now, $0 + UnknownCase.hurriedInterval) } ?? now
        due = min(due, soonest)
    }

    /// The broker says that it has no such order.
    /// - Parameter askedAt: When it was asked: what it says is as old as that, however late it is read.
    package mutating func wasNotFound(askedAt: MonotonicTime, at now: MonotonicTime) -> Verdict {
        timesNotFound += 1
        if timesNotFound >= UnknownCase.timesNotFoundMin, askedAt - lastByteLeftBy >= settleTime { return .absent }
        askAgain(after: now)
        return .stillUnknown
    }

    /// The look-up itself failed, which says nothing about the order.
    package mutating func gotNoAnswer(at now: MonotonicTime) {
        askAgain(after: now)
    }

    /// After 1, 2, 4 … seconds; and once right when the settle time has passed.
    private mutating func askAgain(after now: MonotonicTime) {
        timesAsked += 1
        askedLast = now
        let next = now + min(.seconds(1 << Int64(min(timesAsked - 1, 6))), UnknownCase.longest)
        let settled = lastByteLeftBy + settleTime
        due = now < settled && settled < next ? settled : next
    }
}
