/// What was sent within a window of time, to recognise an order that is like one of them.
struct RecentIntents: Sendable {
    /// What makes two orders alike: what is traded, in which direction, and how much.
    private struct Intent: Hashable {
        let instruments: [Instrument]
        let quantity: Quantity?
        let notional: Notional?

        struct Instrument: Hashable {
            let symbol: SymbolKey?
            let side: Side?
            let ratio: Quantity?
            let positionIntent: PositionIntent?
        }

        init(_ order: OrderTerms) {
            if order.orderClass == .multiLeg {
                instruments = order.legs.map {
                    Instrument(
                        symbol: SymbolKey($0.symbol), side: $0.side, ratio: $0.ratioQuantity,
                        positionIntent: $0.positionIntent)
                }
            } else {
                instruments = [
                    Instrument(
                        symbol: order.symbol.map(SymbolKey.init), side: order.side, ratio: nil, positionIntent: nil)
                ]
            }
            switch order.amount {
            case .quantity(let quantity): (self.quantity, notional) = (quantity, nil)
            case .notional(let notional): (quantity, self.notional) = (nil, notional)
            }
        }
    }

    /// When one strategy last sent such an order, and until when that is to be known.
    private struct Sending {
        let at: MonotonicTime
        let until: MonotonicTime
    }

    /// So many orders are remembered, in some 60 MB. Where there are more, none is sent that would have to be remembered
    /// too.
    static let countMax = 100_000

    private var sent: [Intent: [StrategyName: Sending]] = [:]
    private var count = 0
    /// Beyond so many, those that have left the window are looked for and forgotten.
    private var pruneAt = 1024

    var isFull: Bool { count >= RecentIntents.countMax }

    func lastLike(_ decision: Decision, by strategy: StrategyName?) -> MonotonicTime? {
        guard let times = sent[Intent(decision.order)] else { return nil }
        guard let strategy else { return times.values.map(\.at).max() }
        return times[strategy]?.at
    }

    /// Remembers an order for so long, and returns when its like was sent before by the same strategy.
    mutating func note(_ decision: Decision, at time: MonotonicTime, for window: Microseconds) -> MonotonicTime? {
        let before = sent[Intent(decision.order), default: [:]].updateValue(
            Sending(at: time, until: time + window), forKey: decision.strategy)
        if before == nil { count += 1 }
        if count >= pruneAt { prune(at: time) }
        return before?.at
    }

    mutating func forget(_ decision: Decision, at time: MonotonicTime, likeBefore: MonotonicTime?) {
        let intent = Intent(decision.order)
        guard let known = sent[intent]?[decision.strategy], known.at == time else { return }
        if let likeBefore {
            sent[intent]?[decision.strategy] = Sending(at: likeBefore, until: known.until)
        } else {
            sent[intent]?[decision.strategy] = nil
            count -= 1
        }
        if sent[intent]?.isEmpty == true { sent[intent] = nil }
    }

    mutating func makeRoom(at now: MonotonicTime) {
        if isFull { prune(at: now) }
    }

    private mutating func prune(at now: MonotonicTime) {
        sent = sent.compactMapValues { times in
            let young = times.filter { now < $0.value.until }
            return young.isEmpty ? nil : young
        }
        count = sent.values.reduce(0) { $0 + $1.count }
        pruneAt = max(1024, count * 2)
    }
}
