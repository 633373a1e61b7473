import StrictJSON

/// What came of a decision at one moment: a row of the outbox and a message on the outcome topic.
package struct Outcome: Equatable, Sendable {
    package var decision: DecisionSummary
    package var decisionStatus: DecisionStatus
    /// Nil for a decision that was refused before it was sent.
    package var execution: Execution?
    /// Why it failed; for a refused decision one of the stable words of `SendRefusal`.
    package var reason: String?
    /// What a person should know of a refusal beyond its word: the figure and the limit that it is against.
    package var message: String?
    package var at: Timestamp

    package init(_ decision: DecisionSummary, of execution: Execution, at time: Timestamp) {
        self.decision = decision
        self.decisionStatus = execution.decisionStatus
        self.execution = execution
        self.reason = execution.reason
        self.at = time
    }

    package init(
        _ decision: DecisionSummary, refusedFor refusal: SendRefusal, message: String? = nil, at time: Timestamp
    ) {
        self.decision = decision
        self.decisionStatus = .failed
        self.execution = nil
        self.reason = refusal.rawValue
        self.message = message
        self.at = time
    }

    package var result: OutcomeResult { execution?.result ?? .failed }

    /// `outcome|<strategy_name>|<symbol>|<status>`. A multi-leg order has no symbol; `mleg` stands in its place.
    package var topic: String {
        let status = execution?.status.rawValue ?? "refused"
        return "outcome|\(decision.strategy)|\(decision.symbol?.text ?? "mleg")|\(status)"
    }
}

/// What an outcome repeats of its decision.
package struct DecisionSummary: Equatable, Sendable {
    package var id: DecisionID
    package var strategy: StrategyName
    package var symbol: Symbol?
    package var side: Side?
    package var amount: Amount

    package init(_ decision: Decision) {
        id = decision.id
        strategy = decision.strategy
        symbol = decision.order.symbol
        side = decision.order.side
        amount = decision.order.amount
    }
}

/// The numbers that an outcome gets when it is stored.
package struct OutcomeNumbers: Equatable, Sendable {
    /// Counts the outcomes of the whole database from 1, without gaps.
    package var seq: Int64
    /// Counts the outcomes of one strategy from 1, without gaps.
    package var strategySeq: Int64

    package init(seq: Int64, strategySeq: Int64) {
        self.seq = seq
        self.strategySeq = strategySeq
    }
}

/// Where outcomes come from: it stands in each of them.
package struct OutcomeSource: Equatable, Sendable {
    /// A random id made with the database; another one means another history.
    package var stream: String
    package var partition: PartitionName

    package init(stream: String, partition: PartitionName) {
        self.stream = stream
        self.partition = partition
    }
}

extension Outcome {
    /// The JSON of the outcome's second frame.
    package func body(_ numbers: OutcomeNumbers, from source: OutcomeSource) -> [UInt8] {
        var writer = JSONWriter(reserving: 1024)
        writer.object { writer in
            writer.member("v", 1)
            writer.member("type", "outcome")
            writer.member("stream", source.stream)
            writer.member("seq", numbers.seq)
            writer.member("strategy_seq", numbers.strategySeq)
            writer.member("partition", source.partition.text)
            decision.write(to: &writer)
            writer.member("result", result.rawValue)
            writer.member("final", decisionStatus.isFinal)
            writer.member("decision_status", decisionStatus.rawValue)
            writer.member("reason", reason)
            if let message { writer.member("message", message) }
            writer.key("execution")
            if let execution { execution.write(to: &writer) } else { writer.null() }
            writer.member("at", at.text)
        }
        return writer.bytes
    }
}

extension DecisionSummary {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("decision_id", id.text)
        writer.member("strategy_name", strategy.text)
        writer.member("symbol", symbol?.text)
        writer.member("side", side?.rawValue)
        switch amount {
        case .quantity(let quantity):
            writer.member("quantity", quantity.value.text)
            writer.member("notional", nil as String?)
        case .notional(let notional):
            writer.member("quantity", nil as String?)
            writer.member("notional", notional.value.text)
        }
    }
}

extension Execution {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("execution_id", id)
            writer.member("client_order_id", clientOrderID.text)
            writer.member("attempt_number", 1)
            writer.member("status", status.rawValue)
            writer.member("certainty", certainty.rawValue)
            writer.member("resolution", resolution?.rawValue)
            writer.member("alpaca_order_id", alpacaOrderID)
            writer.member("followed_order_id", followedOrderID)
            writer.member("order_status", orderStatus?.text)
            writer.member("http_status_code", httpStatusCode)
            writer.member("error_message", errorMessage)
            writer.member("filled_quantity", filledQuantity?.text)
            writer.member("filled_avg_price", filledAveragePrice?.text)
            writer.member("commission", commission?.text)
            writer.member("submitted_at", submittedAt.text)
            writer.member("filled_at", filledAt?.text)
            writer.member("rejected_at", rejectedAt?.text)
        }
    }
}
