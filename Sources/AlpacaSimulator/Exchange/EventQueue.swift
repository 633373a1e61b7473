import TradingCore

/// What will happen to an order, and when.
struct Event: Sendable {
    enum Kind: Sendable {
        case routed
        case acknowledged
        /// `share` of what is open, in percent: 100 fills the rest.
        case filled(share: Int)
        case endedUnfilled(SimulatedOrderStatus)
        case cancelled
        case replaced(by: Int)
        case scripted(ScriptStep)
    }

    let time: Timestamp
    let order: Int
    /// The order's plan for which this was scheduled; void once the order has another.
    let plan: Int
    let kind: Kind
}

/// Events in order of time, those of the same time in order of scheduling: a binary heap.
struct EventQueue: Sendable {
    private var heap: [(sequence: Int, event: Event)] = []
    private var scheduled = 0

    var nextTime: Timestamp? { heap.first?.event.time }

    mutating func add(_ event: Event) {
        heap.append((scheduled, event))
        scheduled += 1
        var child = heap.count - 1
        while child > 0, isEarlier(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst(until time: Timestamp) -> Event? {
        guard let first = heap.first, first.event.time <= time else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first.event }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isEarlier(child, least) {
                least = child
            }
            guard least != parent else { return first.event }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        let (left, right) = (heap[left], heap[right])
        return left.event.time == right.event.time
            ? left.sequence < right.sequence : left.event.time < right.event.time
    }
}
