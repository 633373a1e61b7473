import Logging
import OrderResolution
import TradeJournal
import TradingCore

/// What the log tells of decisions. Every such line carries the decision's ids, and an attempt's where there is one.
///
/// All of it is told after it was committed. What may need a person is told at `notice` and above; at `info` the log
/// follows every decision from its acceptance to its end.
extension Worker {
    /// What came in, and what must be looked up before it is sent.
    func logIntake(_ record: TurnRecord) {
        guard log.logLevel <= .info else { return }
        for waiting in record.accepted {
            log.info("accepted as \(waiting.row.id)", metadata: .ids(waiting.decision))
        }
        for refused in record.keptRefusals {
            log.info("refused, \(refused.refusal.code.rawValue): \(refused.refusal.message)", metadata: .ids(refused))
        }
        for (waiting, refusal) in record.toLookUp {
            let next = refusal.map { "refused as \($0.rawValue)" } ?? "sent"
            log.info(
                "looked up before it is \(next), since a worker with another copy of the database may have sent it",
                metadata: .ids(waiting.decision))
        }
    }

    func logSent(_ open: OpenExecution) {
        log.info("sent to the broker", metadata: .ids(open))
    }

    func logOutcome(_ stored: StoredOutcome) {
        let outcome = stored.outcome
        let level = outcome.logLevel
        guard log.logLevel <= level else { return }
        // Where each decision is followed, there is a line for each anyway.
        guard log.logLevel <= .info || logAllowance.mayWrite(at: clock.read().monotonic) else { return }
        log.log(
            level: level, "outcome \(stored.seq): \(outcome.words)",
            metadata: .ids(outcome.decision.strategy, outcome.decision.id, execution: outcome.execution?.id))
    }

    /// Says, once a minute, how many outcomes were not logged.
    func reportUnloggedOutcomes(at now: ClockReading) {
        guard let count = logAllowance.takeReport(at: now.monotonic) else { return }
        log.warning(
            """
            \(count) more outcomes like those before were not logged, only \(LogAllowance.perMinute) a minute are; \
            `trade-executor executions` and `failures` list all
            """)
    }

    func logStorageFailed(_ fault: JournalFault) {
        log.error("nothing is taken or sent until the database can be written: \(fault)")
        guard attemptResult != nil, let attempt else { return }
        log.error("what its attempt came to is kept in memory until it can be stored", metadata: .ids(attempt))
    }
}

extension Outcome {
    /// Lost answers, what never left and a broker that does not serve this account may need a person.
    fileprivate var logLevel: Logger.Level {
        guard let execution else { return .info }
        switch execution.certainty {
        case .sending, .unknown: return .warning
        // What passed its deadline or was halted in the last moment is like what is refused before.
        case .notSent: return execution.reason.flatMap { SendRefusal(rawValue: $0) } == nil ? .warning : .info
        case .answered: break
        }
        if execution.decisionStatus == .failed, [401, 429].contains(execution.httpStatusCode) { return .warning }
        return execution.resolution == nil ? .info : .notice
    }

    /// `success, filled 10 @ 230.5`, `failed, not sent: expired`.
    fileprivate var words: String {
        guard let execution else {
            return "\(result.rawValue), not sent: \(reason ?? "no reason")\(message.map { ", \($0)" } ?? "")"
        }
        var parts = [result.rawValue]
        if let resolution = execution.resolution { parts.append(resolution.rawValue) }
        if let filled = execution.filledQuantity, !filled.isZero {
            parts.append("filled \(filled.text)\(execution.filledAveragePrice.map { " @ \($0.text)" } ?? "")")
        } else if let status = execution.orderStatus {
            parts.append(status.text)
        }
        if let code = execution.httpStatusCode, code >= 400 { parts.append("HTTP \(code)") }
        if let reason = execution.errorMessage ?? execution.reason { parts.append(reason) }
        return parts.joined(separator: ", ")
    }
}

extension Logger.Metadata {
    fileprivate static func ids(
        _ strategy: StrategyName, _ decision: DecisionID, execution: String? = nil
    ) -> Logger.Metadata {
        var ids: Logger.Metadata = [
            "strategy_name": "\(strategy)", "decision_id": "\(decision)",
            "client_order_id": "\(ClientOrderID(strategy, decision))",
        ]
        if let execution { ids["execution_id"] = "\(execution)" }
        return ids
    }

    fileprivate static func ids(_ decision: Decision) -> Logger.Metadata { ids(decision.strategy, decision.id) }

    fileprivate static func ids(_ open: OpenExecution) -> Logger.Metadata {
        ids(open.decision.strategy, open.decision.id, execution: open.execution.id)
    }

    /// A message that was not taken has those ids that could be read, if any.
    fileprivate static func ids(_ refused: RefusedFrame) -> Logger.Metadata {
        let strategy = refused.strategyName.flatMap { StrategyName($0) }
        let decision = refused.decisionID.flatMap { DecisionID($0) }
        if let strategy, let decision { return ids(strategy, decision) }
        var known: Logger.Metadata = [:]
        if let strategy { known["strategy_name"] = "\(strategy)" }
        if let decision { known["decision_id"] = "\(decision)" }
        return known
    }
}
