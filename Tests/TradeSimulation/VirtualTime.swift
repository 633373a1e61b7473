import TradingCore

/// The simulation's time: it stands still while anything acts, and jumps to the next thing that is to happen.
final class VirtualTime {
    /// The true time since the simulation began.
    private(set) var now = MonotonicTime(microseconds: 0)
    /// How far the machine's calendar is off.
    private(set) var calendarError = Microseconds.zero
    private var bootedAt = MonotonicTime(microseconds: 0)
    private var bootNumber = 1
    private var events = EventHeap()
    private var eventCount: UInt64 = 0

    /// 2026-11-24, 14:30 UTC.
    private static let start = Timestamp(nanoseconds: 1_795_530_600_000_000_000)

    /// The true calendar, which the broker goes by.
    var trueMoment: Timestamp {
        Timestamp(nanoseconds: VirtualTime.start.nanoseconds + now.microseconds * 1000)
    }

    /// What the machine's clocks show.
    var reading: ClockReading {
        ClockReading(
            moment: Timestamp(nanoseconds: trueMoment.nanoseconds + calendarError.count * 1000),
            monotonic: MonotonicTime(microseconds: (now - bootedAt).count), bootID: "boot-\(bootNumber)")
    }

    /// The true time of a moment on the machine's monotonic clock.
    func trueTime(of monotonic: MonotonicTime) -> MonotonicTime {
        bootedAt + Microseconds(monotonic.microseconds)
    }

    /// Somebody sets the calendar.
    func setCalendar(off by: Microseconds) { calendarError = by }

    /// The machine is started anew: its monotonic clock begins at zero.
    func reboot() {
        bootNumber += 1
        bootedAt = now
    }

    // MARK: What is to happen

    func after(_ delay: Microseconds, _ action: @escaping () -> Void) {
        eventCount += 1
        events.add(Event(time: now + delay, number: eventCount, action: action))
    }

    var nextEvent: MonotonicTime? { events.first?.time }

    /// Goes on to a moment, unless it has passed, and does what is due by then.
    func advance(to moment: MonotonicTime) {
        now = max(now, moment)
        while let event = events.first, event.time <= now {
            events.removeFirst()
            event.action()
        }
    }
}

/// Something that is to happen.
private struct Event {
    let time: MonotonicTime
    /// Of two at the same time, the one that was planned first happens first.
    let number: UInt64
    let action: () -> Void

    func comes(before other: Event) -> Bool {
        (time, number) < (other.time, other.number)
    }
}

/// Events, the next one in front: a binary heap.
private struct EventHeap {
    private var events: [Event] = []

    var first: Event? { events.first }

    mutating func add(_ event: Event) {
        events.append(event)
        var index = events.count - 1
        while index > 0, events[index].comes(before: events[(index - 1) / 2]) {
            events.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func removeFirst() {
        events.swapAt(0, events.count - 1)
        events.removeLast()
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < events.count {
                if events[child].comes(before: events[least]) { least = child }
            }
            guard least != index else { return }
            events.swapAt(index, least)
            index = least
        }
    }
}
