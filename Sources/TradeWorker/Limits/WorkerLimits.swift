import AlpacaAPI
import Logging
import OrderResolution
import TradeJournal
import TradingCore

/// How the worker holds the decision at the front against the limits.
extension Worker {
    /// What becomes of a decision that would be sent now.
    enum Judgement {
        case send
        case refuse(SendRefusal, message: String)
        /// The broker is asked first; nothing overtakes it meanwhile.
        case wait
    }

    func judge(
        _ waiting: WaitingDecision, in transaction: borrowing JournalTransaction, _ record: TurnRecord,
        at now: ClockReading
    ) throws(JournalFault) -> Judgement {
        guard let limits else { return .send }
        if !record.hasLookedForLimits {
            record.hasLookedForLimits = true
            lookForLimits(limits)
        }
        try limits.keep(in: transaction, at: now)
        if limits.mustRecount(at: now) { try limits.recount(journal, at: now) }
        switch limits.verdict(on: waiting, at: now) {
        case .allowed: return .send
        case .refused(let refusal, let message): return .refuse(refusal, message: message)
        case .needsPosition(let symbol):
            limits.broker.want(.position(waiting.row, symbol), at: now.monotonic)
            return .wait
        case .needsMarketHours:
            limits.broker.want(.marketHours(waiting.row), at: now.monotonic)
            return .wait
        }
    }

    /// Looks for other limits with every heartbeat, so that a broken edit is told of before the next decision is judged.
    func lookForLimits(isHeartbeatDue: Bool) {
        if isHeartbeatDue, let limits { lookForLimits(limits) }
    }

    private func lookForLimits(_ limits: SendLimits) {
        switch limits.source.look() {
        case .unchanged: break
        case .changed:
            log.notice("the limits have changed, and are in force as they are now")
            limits.forgetCounters()
        case .broken(let why): log.error("the limits are not changed, those from before stay in force: \(why)")
        }
    }

    /// When the broker is to be asked for the sake of limits, if it is allowed: an answer is of use only with a request
    /// left for the order itself.
    func limitQuestionDue(at now: MonotonicTime) -> MonotonicTime? {
        guard !isDraining, storage == .working, let due = limits?.broker.due, pacing.allowance(at: now) > 1 else {
            return nil
        }
        return due
    }

    func askForLimits(at now: ClockReading) throws(WorkerFault) {
        guard let limits, let due = limitQuestionDue(at: now.monotonic), due <= now.monotonic else { return }
        pacing.begin(at: now.monotonic)
        do throws(EdgeFault) {
            try limits.broker.ask(at: now.monotonic)
        } catch {
            throw .edge(error)
        }
    }

    func takeLimitAnswer(at now: ClockReading) {
        guard let result = limits?.broker.takeAnswer(at: now.monotonic) else { return }
        pacing.note(result, at: now)
        connectionUsed(at: now)
    }
}
