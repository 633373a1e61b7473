/// The moment after which a decision is not sent any more, on both clocks.
///
/// Within one boot of the machine the monotonic clock decides, so that a calendar set forwards or back neither kills a
/// fresh decision nor revives a stale one. After a reboot only the calendar is left.
package struct Deadline: Equatable, Sendable {
    package var moment: Timestamp
    package var monotonic: MonotonicTime
    /// The boot whose monotonic clock is meant.
    package var bootID: String

    package init(moment: Timestamp, monotonic: MonotonicTime, bootID: String) {
        self.moment = moment
        self.monotonic = monotonic
        self.bootID = bootID
    }

    /// The deadline of a decision accepted at `now`: its author's, or `maxAge` for one that names none.
    package init(of requested: RequestedDeadline?, maxAge: Microseconds, acceptedAt now: ClockReading) {
        let left: Microseconds
        switch requested {
        case .at(let moment):
            // In microseconds no two moments are too far apart for the difference to fit.
            left = Microseconds(moment.nanoseconds / 1000 - now.moment.nanoseconds / 1000)
            self.moment = moment
        case .after(let duration):
            left = duration
            self.moment = Timestamp(nanoseconds: now.moment.nanoseconds + duration.count * 1000)
        case nil:
            left = maxAge
            self.moment = Timestamp(nanoseconds: now.moment.nanoseconds + maxAge.count * 1000)
        }
        monotonic = now.monotonic + left
        bootID = now.bootID
    }

    package func hasPassed(at now: ClockReading) -> Bool {
        bootID == now.bootID ? now.monotonic >= monotonic : now.moment >= moment
    }
}

/// Both clocks, read at the same moment.
package struct ClockReading: Equatable, Sendable {
    package var moment: Timestamp
    package var monotonic: MonotonicTime
    /// The boot that the monotonic clock counts from.
    package var bootID: String

    package init(moment: Timestamp, monotonic: MonotonicTime, bootID: String) {
        self.moment = moment
        self.monotonic = monotonic
        self.bootID = bootID
    }
}
