import Logging
import TradeJournal
package import TradingCore

/// Which strategies are the worker's. There is none where all are.
struct PartitionKeeping {
    let source: any WatchedText<PartitionMap>
    /// The worker's own partition.
    let own: PartitionName
    /// The map that is in force, and stored.
    private(set) var inForce: PartitionMap
    /// The next one, once it is stored.
    private(set) var next: PartitionMap?
    /// Why the file as it is now is not in force; nil where it is.
    private(set) var problem: String?
    /// The last step of every strategy that ever moved.
    var moves: [StrategyName: StrategyMove]
    /// The database's: as a move's id it stands for a restoration.
    private let stream: String
    /// Why a strategy cannot be taken in; nil where none is refused.
    var importProblem: String?

    /// Takes the file's map, unless one was in force before that it may not follow.
    init(
        _ source: any WatchedText<PartitionMap>, of own: PartitionName, _ journal: TradeJournal, at now: ClockReading
    ) throws(WorkerFault) {
        self.source = source
        self.own = own
        let map = source.meaning
        inForce = map
        stream = journal.stream
        let last: PartitionMap?
        var held: [StrategyMove] = []
        do throws(JournalFault) {
            last = try journal.lastPartitionMap()
            moves = Dictionary(uniqueKeysWithValues: try journal.strategyMoves().map { ($0.strategy, $0) })
            if last != map, try journal.lastMapIsOfCopy() {
                held = movedSince(last, known: try journal.strategies())
            }
        } catch {
            throw .journal(error)
        }
        if let objection = last.flatMap({ map.objection(after: $0) }) {
            throw .partitionMap("the partition map cannot be taken: \(objection)")
        }
        guard map.places[own] != nil else {
            let names = map.partitionNames.map(\.text).joined(separator: ", ")
            throw .partitionMap("the partition map has no partition \(own), but \(names); see --partition")
        }
        guard last != map else { return }
        do throws(JournalFault) {
            try journal.write { (transaction) throws(JournalFault) in
                try transaction.keep(map, at: now.moment)
                for move in held { try transaction.keep(move, at: now.moment) }
            }
        } catch {
            throw .journal(error)
        }
        for move in held { moves[move.strategy] = move }
    }

    /// The strategies that came here or went since the copy was taken that the database was restored from: nothing is known
    /// here of what became of them meanwhile. They are another worker's until a move, or an operator, says so.
    /// - Parameters:
    ///   - copied: The last map in the copy; nil where it knew none, and all were this worker's.
    ///   - known: Strategies in the database.
    private func movedSince(_ copied: PartitionMap?, known: Set<StrategyName>) -> [StrategyMove] {
        let names = known.union(inForce.strategies.keys).union(copied.map { Array($0.strategies.keys) } ?? [])
            .union(moves.keys)
        return names.sorted { $0.text < $1.text }.compactMap { strategy in
            let then = copied.map { $0.partition(of: strategy) } ?? own
            let since = inForce.partition(of: strategy)
            guard then != since, then == own || since == own, moves[strategy]?.step != .gone else { return nil }
            return StrategyMove(
                strategy, id: stream, step: .gone, partition: (since == own ? then : since) ?? own)
        }
    }

    /// Says what a restored worker leaves alone.
    func warnOfRestoration(_ log: Logger) {
        let held = moves.values.filter { $0.id == stream }.map(\.strategy.text).sorted()
        guard !held.isEmpty else { return }
        log.warning(
            """
            restored from a copy of before these strategies came or went; they are neither taken, sent nor followed here \
            (see "strategies that have moved since" in backup.md): \(held.joined(separator: ", "))
            """)
    }

    /// The map by which decisions of this turn are judged: nothing of them happens unless it is stored with them.
    var current: PartitionMap { next ?? inForce }

    /// Looks whether the file has changed.
    mutating func look(_ log: Logger) {
        switch source.look() {
        case .unchanged: return
        case .broken(let why): refuse("it cannot be taken: \(why)", log)
        case .changed:
            if let objection = source.meaning.objection(after: inForce) { return refuse("\(objection)", log) }
            problem = nil
            next = source.meaning == inForce ? nil : source.meaning
        }
    }

    private mutating func refuse(_ why: String, _ log: Logger) {
        problem = why
        next = nil
        log.error("the partition map of epoch \(inForce.epoch) stays in force, and the file's does not follow: \(why)")
    }

    /// The next map is stored.
    mutating func nextIsStored(_ log: Logger) {
        guard let next else { return }
        inForce = next
        self.next = nil
        log.notice("the partition map of epoch \(next.epoch) is in force")
        if let ownProblem { log.error("\(ownProblem)") }
    }

    /// What is wrong with a map in force that has no place for this worker.
    private var ownProblem: String? {
        inForce.places[own] != nil ? nil : "the partition map has no partition \(own) any more: no decision is taken"
    }

    /// What is wrong with a map that gives this worker a strategy of which it does not have all.
    private var missingProblem: String? {
        let missing = moves.values.filter {
            ($0.step == .gone || $0.step == .handedOver) && inForce.partition(of: $0.strategy) == own
        }
        guard let first = missing.min(by: { $0.strategy.text < $1.strategy.text }) else { return nil }
        if first.step == .handedOver {
            return
                "the strategy \(first.strategy) was handed over to \(first.partition) in a file: have it received or refused "
                + "there by `partitions move`, and then put that machine's map here, or take it back"
        }
        if first.id == stream {
            return
                "this worker was restored from a copy of before the strategy \(first.strategy) came here: bring it back by "
                + "a move from \(first.partition), or say `partitions move \(first.strategy) --take \(own)`"
        }
        return "the map gives this worker the strategy \(first.strategy), which is at \(first.partition) and was not "
            + "moved back: edit the map back, and use `partitions move`"
    }

    /// The strategies that are carried over, and that the map in force gives to this worker.
    var arrived: [StrategyMove] {
        moves.values.filter { $0.step == .imported && inForce.partition(of: $0.strategy) == own }
    }

    /// The strategies that were released or handed over, and that the map in force gives to another.
    var departed: [StrategyMove] {
        moves.values.filter {
            ($0.step == .released || $0.step == .handedOver) && inForce.partition(of: $0.strategy) != own
        }
    }

    var state: WorkerState.PartitionMap {
        .init(epoch: inForce.epoch, problem: problem ?? ownProblem ?? importProblem ?? missingProblem)
    }

    /// Why a strategy's new decisions are not this worker's; nil where they are.
    func refusal(of strategy: StrategyName) -> Refusal? {
        guard let partition = current.partition(of: strategy) else {
            return Refusal(
                .wrongPartition,
                "the strategy \(strategy) is in no partition of the map (epoch \(current.epoch)); ask the operator")
        }
        guard partition != own else {
            guard let move = moves[strategy], !move.step.takesDecisions else { return nil }
            return Refusal(
                .draining, "the strategy \(strategy) is moving between partitions; send the same again", retry: true)
        }
        let intake = current.places[partition]?.intake
        return Refusal(
            .wrongPartition,
            "the strategy \(strategy) is served by partition \(partition); send the same bytes to its intake",
            endpoint: intake)
    }
}

extension Worker {
    /// Nil where there is none.
    package var partitionMapInForce: PartitionMap? { partitions?.inForce }

    /// Looks for another partition map: with every heartbeat, and before any decision is judged.
    func lookAtPartitionMap(_ messages: [Incoming<Intake.Envelope>], isHeartbeatDue: Bool) {
        let isAsked = messages.contains { if case .success(.decision) = $0.request { true } else { false } }
        if isHeartbeatDue || isAsked { partitions?.look(log) }
    }
}
