import StrictJSON
import TradingCore

/// A subscriber that follows everything, freezes now and then, and asks for what it missed.
final class SimulatedSubscriber {
    private let bus: SimulatedBus
    private let time: VirtualTime
    private let ledger: Ledger
    private var chance: Chance
    var circumstances: Circumstances
    /// What it has, from the first outcome on.
    private(set) var bodies: [[UInt8]] = []
    private var isFrozen = false
    private var askedAt: MonotonicTime?

    init(
        _ circumstances: Circumstances, seed: UInt64, bus: SimulatedBus, time: VirtualTime, ledger: Ledger
    ) {
        self.circumstances = circumstances
        self.bus = bus
        self.time = time
        self.ledger = ledger
        chance = Chance(seed: seed, of: "subscriber")
    }

    func hears(_ topic: String, _ body: [UInt8]) {
        if isFrozen { return }
        guard let message = JSONValue(reading: body), let seq = message["seq"]?.integer else { return }
        let isOutcome = message["type"] == "outcome"
        if isOutcome, chance.happens(circumstances.subscriberFreezes) {
            isFrozen = true
            time.after(chance.duration(upTo: .seconds(300))) { [self] in isFrozen = false }
            return
        }
        let last = Int64(bodies.count)
        if isOutcome, seq == last + 1 {
            bodies.append(body)
        } else if seq > last {
            askForMissed()
        }
    }

    private func askForMissed() {
        // An answer that does not come is asked for again.
        if let askedAt, time.now - askedAt < .seconds(2) { return }
        askedAt = time.now
        bus.send(Array("{\"v\":1,\"type\":\"replay\",\"after\":\(bodies.count),\"limit\":500}".utf8)) { [self] answer in
            askedAt = nil
            guard let answer = JSONValue(reading: answer), let outcomes = answer["outcomes"]?.array else { return }
            for outcome in outcomes {
                guard let seq = outcome["seq"]?.integer else { continue }
                if seq == Int64(bodies.count) + 1 {
                    bodies.append(Array(outcome.text.utf8))
                } else if seq > bodies.count {
                    return ledger.violate(.replay, "a replay after \(bodies.count) tells of \(seq)")
                }
            }
            if answer["more"] == true { askForMissed() }
        }
    }

    /// It is told that the database was restored from a copy, and keeps what the copy holds.
    func keepOnly(_ count: Int) {
        bodies = Array(bodies.prefix(count))
        askedAt = nil
    }
}
