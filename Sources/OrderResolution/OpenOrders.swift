import AlpacaAPI
package import TradeJournal
package import TradingCore

/// The decisions whose attempt has ended and whose order has not, or is not known, or has exits that live on: what there
/// is to ask the broker about, and which question is next.
package struct OpenOrders {
    /// One question to the broker, and whom its answer is for.
    enum LookUp: Equatable {
        /// An attempt whose answer was lost.
        case unknown(DecisionRow, LookUpRequest)
        /// One followed order.
        case single(DecisionRow, LookUpRequest)
        /// Many followed orders at once.
        case listing([DecisionRow], LookUpRequest)
    }

    /// Where a followed order is looked for. It moves on when a listing does not show it.
    private enum Place: Equatable {
        /// Among the orders submitted since the oldest that is asked for.
        case recentOrders
        /// Among the open orders, of whatever age.
        case openOrders
        case byItself
    }

    private enum Watch {
        case unknown(UnknownCase)
        case following(FollowSchedule, Place)

        var due: MonotonicTime {
            switch self {
            case .unknown(let unknown): unknown.due
            case .following(let schedule, _): schedule.due
            }
        }
    }

    private struct Entry {
        var open: OpenExecution
        var watch: Watch
    }

    private var entries: [DecisionRow: Entry] = [:]
    /// The unknown attempts that somebody wants to know about now.
    private var hurried: Set<DecisionRow> = []
    private let settleTime: Microseconds
    package private(set) var unknownCount = 0
    /// When the next question is due; nil when there is none.
    package private(set) var nextDue: MonotonicTime?
    private var unknownPerStrategy: [StrategyName: Int] = [:]

    /// The broker's clock and ours may differ by this much without a recent order being missed in a listing.
    private static let clockTolerance: Int64 = 300

    /// How much earlier than due an order may be looked at together with others.
    private static let soon = Microseconds.seconds(1)

    init(settleTime: Microseconds) {
        self.settleTime = settleTime
    }

    package var count: Int { entries.count }

    func execution(_ row: DecisionRow) -> OpenExecution? { entries[row]?.open }

    /// When there is something to ask about a decision; nil when there is nothing to find out about it.
    func due(of row: DecisionRow) -> MonotonicTime? { entries[row]?.watch.due }

    /// The attempts that are unknown, in order of acceptance.
    package var unknown: [OpenExecution] {
        entries.values.filter { $0.open.execution.certainty == .unknown }.map(\.open)
            .sorted { $0.decisionRow < $1.decisionRow }
    }

    package func hasUnknown(_ strategy: StrategyName) -> Bool { unknownPerStrategy[strategy] != nil }

    package func hasAny(_ strategy: StrategyName) -> Bool {
        entries.values.contains { $0.open.decision.strategy == strategy }
    }

    // MARK: Changes

    /// Takes an execution in, or its new state; one that has ended, with all that hangs on it, is let go.
    /// - Parameter afterRestart: Whether time has passed unseen, so that it is to be looked at now.
    mutating func put(_ open: OpenExecution, at now: MonotonicTime, afterRestart: Bool = false) {
        let before = remove(open.decisionRow)
        // Only where the first that was due has gone must all be looked at for the next.
        defer { if let before, before.watch.due == nextDue { findNextDue() } }
        let isOver = open.execution.decisionStatus.isFinal
        guard !isOver || open.execution.hasLivingLegs else { return }
        let watch: Watch
        switch open.execution.certainty {
        case .answered where isOver: watch = .following(FollowSchedule(exitsAt: now), .byItself)
        case .unknown:
            if case .unknown(let unknown)? = before?.watch {
                watch = .unknown(unknown)
            } else {
                watch = .unknown(
                    UnknownCase(lostAt: open.lostAt?.monotonic ?? now, settleTime: settleTime, at: now))
            }
            unknownCount += 1
            unknownPerStrategy[open.decision.strategy, default: 0] += 1
        case .answered:
            let schedule = afterRestart ? FollowSchedule(dueAt: now) : FollowSchedule(changedAt: now)
            watch = .following(schedule, .recentOrders)
        case .sending, .notSent:
            preconditionFailure("an attempt that is open has been answered, or its answer was lost")
        }
        entries[open.decisionRow] = Entry(open: open, watch: watch)
        nextDue = min(nextDue ?? watch.due, watch.due)
    }

    private mutating func remove(_ row: DecisionRow) -> Entry? {
        guard let entry = entries.removeValue(forKey: row) else { return nil }
        hurried.remove(row)
        if case .unknown = entry.watch {
            unknownCount -= 1
            let strategy = entry.open.decision.strategy
            let left = unknownPerStrategy[strategy, default: 0] - 1
            unknownPerStrategy[strategy] = left > 0 ? left : nil
        }
        return entry
    }

    mutating func letGo(_ strategy: StrategyName) {
        for (row, entry) in entries where entry.open.decision.strategy == strategy { _ = remove(row) }
        findNextDue()
    }

    private mutating func findNextDue() {
        nextDue = entries.values.lazy.map(\.watch.due).min()
    }

    /// Makes the unknown attempts due now, those of one client order id or all.
    mutating func hurryUnknown(_ id: ClientOrderID?, at now: MonotonicTime) {
        for (row, entry) in entries where id == nil || entry.open.execution.clientOrderID == id {
            guard case .unknown(var unknown) = entry.watch else { continue }
            unknown.hurry(at: now)
            entries[row]?.watch = .unknown(unknown)
            hurried.insert(row)
        }
        findNextDue()
    }

    // MARK: What a look-up said

    /// The broker has no order under this id.
    mutating func wasNotFound(
        _ row: DecisionRow, askedAt: MonotonicTime, at now: MonotonicTime
    ) -> UnknownCase.Verdict {
        guard var entry = entries[row] else { return .stillUnknown }
        defer { findNextDue() }
        entry.open.lookUps += 1
        guard case .unknown(var unknown) = entry.watch else {
            // An order that was there and is not shown by its id: nothing to conclude, so it is asked for again later.
            entries[row] = entry
            looked(row, changed: false, at: now)
            return .stillUnknown
        }
        let verdict = unknown.wasNotFound(askedAt: askedAt, at: now)
        entry.watch = .unknown(unknown)
        entries[row] = entry
        return entry.open.execution.canBeProvenAbsent ? verdict : .stillUnknown
    }

    /// The question got no answer that says anything.
    mutating func gotNoAnswer(_ lookUp: LookUp, at now: MonotonicTime) {
        switch lookUp {
        case .unknown(let row, _):
            guard var entry = entries[row], case .unknown(var unknown) = entry.watch else { return }
            unknown.gotNoAnswer(at: now)
            entry.open.lookUps += 1
            entry.watch = .unknown(unknown)
            entries[row] = entry
        case .single(let row, _): looked(row, changed: false, at: now)
        case .listing(let rows, _): for row in rows { looked(row, changed: false, at: now) }
        }
        findNextDue()
    }

    /// The order was shown.
    mutating func looked(_ row: DecisionRow, changed: Bool, at now: MonotonicTime) {
        guard var entry = entries[row], case .following(var schedule, let place) = entry.watch else { return }
        schedule.looked(at: now, changed: changed)
        entry.open.lookUps += 1
        entry.watch = .following(schedule, place)
        entries[row] = entry
        findNextDue()
    }

    /// A listing did not show the order, so it is looked for elsewhere, at once.
    mutating func wasNotListed(_ row: DecisionRow, at now: MonotonicTime) {
        guard var entry = entries[row], case .following(_, let place) = entry.watch else { return }
        entry.open.lookUps += 1
        let next: Place = place == .recentOrders ? .openOrders : .byItself
        entry.watch = .following(FollowSchedule(dueAt: now), next)
        entries[row] = entry
        findNextDue()
    }

    // MARK: The next question

    /// The unknown attempt whose turn it is, if any.
    /// - Parameter onlyHurried: Whether to look only at those that somebody wants to know about now.
    func nextUnknown(at now: MonotonicTime, onlyHurried: Bool) -> LookUp? {
        if onlyHurried, hurried.isEmpty { return nil }
        return next(at: now) { entry in
            guard case .unknown = entry.watch else { return false }
            return !onlyHurried || hurried.contains(entry.open.decisionRow)
        }.map { unknown($0.open) }
    }

    /// When the first of the attempts is due that somebody wants to know about now.
    var hurriedDue: MonotonicTime? { hurried.lazy.compactMap { due(of: $0) }.min() }

    private func next(at now: MonotonicTime, where isMeant: (Entry) -> Bool) -> Entry? {
        guard let nextDue, nextDue <= now else { return nil }
        return entries.values.filter { $0.watch.due <= now && isMeant($0) }.min {
            ($0.watch.due, $0.open.decisionRow) < ($1.watch.due, $1.open.decisionRow)
        }
    }

    /// One question for as many followed orders as possible, where one is due.
    func nextFollowed(at now: MonotonicTime) -> LookUp? {
        let first = next(at: now) { entry in
            if case .following = entry.watch { true } else { false }
        }
        guard let first, case .following(_, let place) = first.watch else { return nil }
        // Whoever is due soon comes along: one listing costs no more for it, and spares a question of its own.
        let together = entries.values.filter { entry in
            guard case .following(let schedule, place) = entry.watch else { return false }
            return schedule.due <= now + OpenOrders.soon
        }
        guard place != .byItself, together.count > 1 else { return single(first.open) }
        let rows = together.map(\.open.decisionRow)
        guard place == .recentOrders else { return .listing(rows, .openOrders) }
        let oldest = together.map(\.open.execution.submittedAt).min() ?? first.open.execution.submittedAt
        return .listing(rows, .ordersSubmitted(after: oldest.advanced(bySeconds: -OpenOrders.clockTolerance)))
    }

    /// The question for one attempt whose answer was lost.
    func lookUp(ofUnknown row: DecisionRow) -> LookUp? {
        guard let entry = entries[row], case .unknown = entry.watch else { return nil }
        return unknown(entry.open)
    }

    private func unknown(_ open: OpenExecution) -> LookUp {
        .unknown(open.decisionRow, .orderByClientID(open.execution.clientOrderID))
    }

    private func single(_ open: OpenExecution) -> LookUp {
        guard let id = open.execution.followedOrderID else {
            preconditionFailure("an order that is followed has an id")
        }
        return .single(open.decisionRow, .order(id: id))
    }
}
