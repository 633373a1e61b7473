import StrictJSON
import TradeWorker
import TradingCore

/// The limits of one world, and what has left under them.
final class SimulatedLimits {
    /// Nil in a world without.
    let limits: TradingLimits?
    /// Whether the worker can know all that was sent, and when: nobody sets its calendar, and its database is not lost.
    private let areExact: Bool
    private let time: VirtualTime
    private var left: [(id: String, what: String, at: MonotonicTime, day: Int64)] = []

    init(_ circumstances: Circumstances, seed: UInt64, time: VirtualTime, bug: PlantedBug?) {
        self.time = time
        areExact = circumstances.clockJumpEvery == nil && !circumstances.losesDatabase
        var chance = Chance(seed: seed, of: "limits")
        guard chance.happens(400) || bug == .limitsAreNotSeen else {
            limits = nil
            return
        }
        var limits = TradingLimits()
        func isSet() -> Bool { chance.happens(500) }
        if isSet() || bug == .limitsAreNotSeen { limits.all.orderQuantityMax = ExactDecimal(chance.number(10...38)) }
        if isSet() { limits.all.ordersPerMinute = Int(chance.number(1...20)) }
        if isSet() { limits.all.ordersPerDay = Int(chance.number(1...100)) }
        if isSet() { limits.all.duplicateWindow = .seconds(chance.number(1...600)) }
        if isSet() { limits.all.marketHoursOnly = true }
        if isSet() { limits.all.orderNotionalMax = ExactDecimal(5000) }
        if isSet() { limits.unpriced = .allow }
        if isSet(), let name = StrategyName("strategy-1") {
            limits.strategies[name] = OrderLimits()
            limits.strategies[name]?.reduceOnly = true
        }
        self.limits = limits
    }

    /// A request leaves. Says which limit it is against.
    func violation(by id: String, _ body: [UInt8]) -> String? {
        guard let limits = limits?.all, let order = JSONValue(reading: body) else { return nil }
        if let quantity = order["qty"]?.string.flatMap({ ExactDecimal($0) }), let most = limits.orderQuantityMax,
            quantity > most
        {
            return "\(id) leaves with \(quantity)"
        }
        guard areExact else { return nil }
        let what = ["symbol", "side", "qty", "notional"].map { order[$0]?.string ?? "-" }.joined(separator: " ")
        let day = time.reading.moment.day
        let now = time.now
        if let most = limits.ordersPerMinute, left.count(where: { now - $0.at < .seconds(60) }) >= most {
            return "\(id) leaves after \(most) within a minute"
        }
        if let most = limits.ordersPerDay, left.count(where: { $0.day == day }) >= most {
            return "\(id) leaves after \(most) of its day"
        }
        if let window = limits.duplicateWindow, left.contains(where: { $0.what == what && now - $0.at < window }) {
            return "\(id) leaves, and is like one that was just sent"
        }
        left.append((id, what, now, day))
        return nil
    }

    /// It could not connect, so it has not left.
    func giveBack(_ id: String) { left.removeAll { $0.id == id } }
}

/// The limits as one life's worker sees them. Now and then their file is touched.
final class LifeLimits: WatchedText {
    let meaning: TradingLimits
    let content: [UInt8] = []
    private var chance: Chance

    init(_ limits: TradingLimits, _ chance: Chance, bug: PlantedBug?) {
        meaning = bug == .limitsAreNotSeen ? TradingLimits() : limits
        self.chance = chance
    }

    func look() -> WatchedTextChange { chance.happens(50) ? .changed : .unchanged }
}
