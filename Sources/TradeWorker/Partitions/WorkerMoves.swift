import Logging
package import OrderResolution
import TradeJournal
package import TradingCore

/// What the operator asks about strategies that move between partitions.
package protocol MoveRequests {
    /// All that is asked for now.
    func requests() throws(EdgeFault) -> [MoveRequest]
    /// Where the rows stand that a move brings.
    func rowsPath(of id: String) -> String
    /// Counts, on disk, the times that the taking in of a move was begun and not ended.
    /// - Returns: How many, with this one.
    func beginImport(of id: String) throws(EdgeFault) -> Int
    /// It has ended, well or not.
    func endImport(of id: String) throws(EdgeFault)
}

/// How strategies leave, and come. Looked at with every heartbeat; each step is stored before anything is done by it.
extension Worker {
    func workOnMoves(at now: ClockReading) throws(WorkerFault) {
        guard storage == .working, let requests = moveRequests, partitions != nil, !isDraining else { return }
        var asked: [MoveRequest] = []
        do throws(EdgeFault) {
            asked = try requests.requests()
        } catch {
            log.warning("the moves folder cannot be read: \(error)")
        }
        var outcomes: [StoredOutcome] = []
        do throws(JournalFault) {
            for request in asked { outcomes += try answer(request, requests, at: now) }
            for move in partitions?.moves.values.filter({ $0.step == .draining }) ?? [] where try isQuiet(move.strategy)
            {
                outcomes += try take(.released, of: move, at: now)
            }
            for move in partitions?.departed ?? [] { outcomes += try take(.gone, of: move, at: now) }
            for move in partitions?.arrived ?? [] { outcomes += try take(.opened, of: move, at: now) }
        } catch {
            try storageFailed(error, at: now)
        }
        try publish(outcomes)
    }

    private func answer(
        _ request: MoveRequest, _ requests: any MoveRequests, at now: ClockReading
    ) throws(JournalFault) -> [StoredOutcome] {
        let isKnown = try journal.knowsMove(request.id)
        let last = partitions?.moves[request.strategy]
        guard var step = request.step(after: last, isKnown: isKnown) else { return [] }
        if last?.step == .gone, [.release, .releaseToCarry, .take].contains(request.action) {
            // What another worker knows more of leaves, or is taken, on the operator's word only: the map's.
            guard partitions?.inForce.partition(of: request.strategy) == settings.partition else { return [] }
        }
        if step == .kept, isKnown, try journal.cameFromGone(request.strategy, move: request.id) { step = .gone }
        if request.action == .drop { partitions?.importProblem = nil }
        let move = StrategyMove(request.strategy, id: request.id, step: step, partition: request.partition)
        guard step == .imported else { return try take(step, of: move, at: now) }
        if let problem = try takeIn(move, requests, at: now) {
            if partitions?.importProblem != problem { log.error("\(problem)") }
            partitions?.importProblem = problem
        } else {
            partitions?.importProblem = nil
        }
        return []
    }

    /// Takes in the rows of a strategy, in this one turn.
    /// - Returns: Why not. Then the move stands still, and all else goes on.
    private func takeIn(
        _ move: StrategyMove, _ requests: any MoveRequests, at now: ClockReading
    ) throws(JournalFault) -> String? {
        let strategy = move.strategy
        let isClosed = partitions?.moves[strategy]?.step.isClosed ?? false
        guard try isQuiet(strategy), isClosed || !resolver.orders.hasAny(strategy) else {
            return "the strategy \(strategy) is not taken in: decisions of it wait here, or its orders are open here"
        }
        do throws(EdgeFault) {
            guard try requests.beginImport(of: move.id) <= Self.importsMax else {
                return
                    "taking in the strategy \(strategy) was cut short \(Self.importsMax) times, and is not tried again: "
                    + "see why this worker ended, then abandon the move"
            }
        } catch {
            return "\(error)"
        }
        var problem: String?
        do throws(JournalFault) {
            try journal.importStrategy(
                from: requests.rowsPath(of: move.id), move, at: now.moment, whileBusy: whileBusy)
        } catch {
            // The file's fault, or the disk's, which the next decision would find out.
            problem = error.description
        }
        do throws(EdgeFault) {
            try requests.endImport(of: move.id)
        } catch {
            log.warning("\(error)")
        }
        // It may have failed after all was stored.
        if let problem, try !journal.knowsMove(move.id) { return problem }
        limits?.forgetCounters()
        taken(move)
        return nil
    }

    /// How often a move's rows are taken in where it kills the worker each time.
    private static var importsMax: Int { 3 }

    /// Whether nothing of a strategy waits or may still become an order, so that only open orders can change.
    private func isQuiet(_ strategy: StrategyName) throws(JournalFault) -> Bool {
        guard attempt?.decision.strategy != strategy, !resolver.orders.hasUnknown(strategy) else { return false }
        return try !journal.hasWaiting(strategy)
    }

    /// Stores a step, and then does what follows from it.
    private func take(
        _ step: StrategyMove.Step, of move: StrategyMove, at now: ClockReading
    ) throws(JournalFault) -> [StoredOutcome] {
        let wasClosed = partitions?.moves[move.strategy]?.step.isClosed ?? false
        let next = StrategyMove(move.strategy, id: move.id, step: step, partition: move.partition)
        try journal.write { (transaction) throws(JournalFault) in try transaction.keep(next, at: now.moment) }
        if step.isClosed { resolver.letGo(move.strategy) }
        var outcomes: [StoredOutcome] = []
        if wasClosed, !step.isClosed {
            // As after a restart. Before the step counts as taken: where this fails, the next heartbeat takes it again.
            outcomes = try resolver.takeUp(
                from: journal, partition: settings.partition, of: move.strategy, at: now)
            limits?.forgetCounters()
        }
        taken(next)
        return outcomes
    }

    private func taken(_ move: StrategyMove) {
        partitions?.moves[move.strategy] = move
        log.notice(
            "the strategy \(move.strategy), which moves between here and \(move.partition): \(move.step.rawValue)")
    }
}
