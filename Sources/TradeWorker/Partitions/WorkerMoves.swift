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
        do throws(JournalFault) {
            for request in asked { try answer(request, requests, at: now) }
            for move in partitions?.moves.values.filter({ $0.step == .draining }) ?? [] where try isQuiet(move.strategy)
            {
                try take(.released, of: move, at: now)
            }
            for move in partitions?.departed ?? [] { try take(.gone, of: move, at: now) }
            for move in partitions?.arrived ?? [] { try take(.opened, of: move, at: now) }
        } catch {
            try storageFailed(error, at: now)
        }
    }

    private func answer(
        _ request: MoveRequest, _ requests: any MoveRequests, at now: ClockReading
    ) throws(JournalFault) {
        let isKnown = try journal.knowsMove(request.id)
        guard let step = request.step(after: partitions?.moves[request.strategy], isKnown: isKnown) else { return }
        let move = StrategyMove(request.strategy, id: request.id, step: step, partition: request.partition)
        guard step == .imported else { return try take(step, of: move, at: now) }
        do throws(JournalFault) {
            try journal.importStrategy(from: requests.rowsPath(of: request.id), move, at: now.moment)
        } catch {
            // The file's fault, or the disk's, which the next decision would find out. The move stands still, and all else
            // goes on.
            if partitions?.importProblem != error.description { log.error("\(error)") }
            partitions?.importProblem = error.description
            return
        }
        partitions?.importProblem = nil
        limits?.forgetCounters()
        taken(move)
    }

    /// Whether nothing of a strategy waits or may still become an order, so that only open orders can change.
    private func isQuiet(_ strategy: StrategyName) throws(JournalFault) -> Bool {
        guard attempt?.decision.strategy != strategy, !resolver.orders.hasUnknown(strategy) else { return false }
        return try !journal.hasWaiting(strategy)
    }

    /// Stores a step, and then does what follows from it.
    private func take(
        _ step: StrategyMove.Step, of move: StrategyMove, at now: ClockReading
    ) throws(JournalFault) {
        let wasClosed = partitions?.moves[move.strategy]?.step.isClosed ?? false
        let next = StrategyMove(move.strategy, id: move.id, step: step, partition: move.partition)
        try journal.write { (transaction) throws(JournalFault) in try transaction.keep(next, at: now.moment) }
        taken(next)
        if step.isClosed { resolver.letGo(move.strategy) }
        guard wasClosed, !step.isClosed else { return }
        // As after a restart. Nothing of it is unknown, so nothing is told.
        let outcomes = try resolver.takeUp(
            from: journal, partition: settings.partition, of: move.strategy, at: now)
        precondition(outcomes.isEmpty, "a strategy moves when nothing of it is unknown")
        limits?.forgetCounters()
    }

    private func taken(_ move: StrategyMove) {
        partitions?.moves[move.strategy] = move
        log.notice(
            "the strategy \(move.strategy), which moves between here and \(move.partition): \(move.step.rawValue)")
    }
}
