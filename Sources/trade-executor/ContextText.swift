import StrictJSON
import TradeRecords

/// Everything about one decision, laid out for a person and safe for a terminal.
struct ContextText {
    private(set) var lines: [String] = []

    init(_ context: FullContext) {
        add(context.decision)
        if let execution = context.execution {
            add(execution)
        } else if let archive = context.archive {
            title("Archived", "its execution, payloads and orders are in a file")
            field("file", archive.file)
            field("sha256", archive.fileSHA256)
            field("archived", "\(moment(archive.archivedAt)) by \(archive.byWhom)")
            field(
                "to see all",
                "trade-executor show \(context.decision.strategyName):\(context.decision.decisionID) --archive \(archive.file)"
            )
        } else {
            title("No execution", "nothing has been sent to the broker")
        }
        for payload in context.payloads { add(payload, as: context.role(of: payload)) }
        add(context.orders)
        add(context.outcomes)
    }

    // MARK: Sections

    private mutating func add(_ decision: DecisionRecord) {
        title("Decision \(decision.decisionID)", "of \(decision.strategyName)")
        field("order", order(of: decision))
        field("status", decision.status + (decision.failureReason.map { ": \($0)" } ?? ""))
        field("accepted", "\(moment(decision.receivedAt)), as number \(decision.id)")
        field("deadline", moment(decision.expiresAt))
        field("executed", decision.executedAt.map(moment))
        field("failed", decision.failedAt.map(moment))
        field("sequence", decision.sequence.map { "\($0)" })
        field("sender", decision.sender)
        if let rationale = decision.rationale {
            field("rationale", PrettyJSON.lines(Array(rationale.utf8)) ?? [TerminalText.safe(rationale)])
        }
    }

    private mutating func add(_ execution: ExecutionRecord) {
        title("Execution \(execution.executionID)", "attempt \(execution.attemptNumber)")
        field("status", execution.status)
        field("certainty", execution.certainty)
        field("lost at", execution.lostAt.map(moment))
        field("resolution", execution.resolution)
        field("client id", execution.clientOrderID)
        field("Alpaca id", execution.alpacaOrderID)
        if execution.followedOrderID != execution.alpacaOrderID { field("replaced by", execution.followedOrderID) }
        field("order is", execution.orderStatus)
        field("HTTP status", execution.httpStatusCode.map { "\($0)" })
        field("error", execution.errorMessage)
        field("details", execution.errorDetails)
        field("filled", RecordText.filled(quantity: execution.filledQuantity, price: execution.filledAveragePrice))
        field("commission", execution.commission)
        field("submitted", moment(execution.submittedAt))
        field("filled at", execution.filledAt.map(moment))
        field("rejected at", execution.rejectedAt.map(moment))
        if execution.lookUps > 0 { field("look-ups", "\(execution.lookUps)") }
    }

    private mutating func add(_ payload: PayloadRecord, as role: FullContext.PayloadRole) {
        let name =
            switch role {
            case .request: "Request"
            case .response: "Response"
            case .lookUp: payload.type == "ApiRequest" ? "Look-up" : "Answer to the look-up"
            }
        let status = payload.statusCode.map { ", HTTP \($0)" } ?? ""
        title(name + status, payload.isSynthetic ? ContextText.originOfSynthetic(payload) : nil)
        field("endpoint", "\(payload.method) \(payload.endpoint)")
        field("captured", moment(payload.capturedAt))
        field("headers", payload.headers)
        // Questions have none.
        if !payload.body.isEmpty { field("body", body(of: payload)) }
    }

    private static func originOfSynthetic(_ payload: PayloadRecord) -> String {
        payload.type == "ApiRequest"
            ? "made by the worker: this database did not see it sent" : "made by the worker: the broker never answered"
    }

    private mutating func add(_ orders: [OrderRecord]) {
        guard !orders.isEmpty else { return }
        title("Orders at the broker", nil)
        let known = Set(orders.map(\.alpacaOrderID))
        // Legs stand under their order; one whose order is not here stands by itself.
        for order in orders where order.parentOrderID.map({ !known.contains($0) }) ?? true {
            add(order, in: orders, depth: 0)
        }
    }

    private mutating func add(_ order: OrderRecord, in orders: [OrderRecord], depth: Int) {
        var parts = [order.status]
        parts.append(order.side ?? "")
        parts.append(RecordText.amount(quantity: order.quantity, notional: order.notional))
        parts.append(order.symbol ?? "")
        let filled = RecordText.filled(quantity: order.filledQuantity, price: order.filledAveragePrice)
        if !filled.isEmpty { parts.append("filled \(filled)") }
        if let successor = order.replacedBy { parts.append("replaced by \(successor)") }
        let indent = String(repeating: "  ", count: depth + 1)
        let description = parts.filter { !$0.isEmpty }.joined(separator: " ")
        lines.append(indent + TerminalText.safe("\(depth > 0 ? "leg " : "")\(order.alpacaOrderID)  \(description)"))
        // An order cannot be its own leg; the bound is for a database that somebody has changed.
        guard depth < 4 else { return }
        for leg in orders where leg.parentOrderID == order.alpacaOrderID { add(leg, in: orders, depth: depth + 1) }
    }

    private mutating func add(_ outcomes: [OutcomeRecord]) {
        guard !outcomes.isEmpty else { return }
        title("Outcomes", nil)
        for outcome in outcomes {
            let line = "seq \(outcome.seq) (\(outcome.strategySeq) of its strategy)  \(moment(outcome.createdAt))  "
            lines.append("  " + TerminalText.safe(line + meaning(of: outcome)))
        }
    }

    // MARK: Words

    private func order(of decision: DecisionRecord) -> String {
        var parts = [
            decision.side ?? "", RecordText.amount(quantity: decision.quantity, notional: decision.notional),
            RecordText.symbol(decision.symbol, orderClass: decision.orderClass),
        ]
        parts.removeAll(where: \.isEmpty)
        var text = parts.joined(separator: " ") + ", \(decision.orderType), \(decision.timeInForce)"
        let prices = [
            ("limit", decision.limitPrice), ("stop", decision.stopPrice), ("trail", decision.trailPrice),
            ("trail %", decision.trailPercent),
        ]
        for (name, price) in prices { if let price { text += ", \(name) \(price)" } }
        if let orderClass = decision.orderClass, decision.symbol != nil { text += ", \(orderClass)" }
        return text
    }

    private func meaning(of outcome: OutcomeRecord) -> String {
        guard let body = try? JSONValue(parsing: outcome.body) else { return outcome.body }
        var parts = [body["execution"]?["status"]?.string ?? "refused", body["result"]?.string ?? "?"]
        if body["final"]?.bool == true { parts.append("final") }
        if let reason = body["reason"]?.string { parts.append(reason) }
        if let message = body["message"]?.string { parts.append(message) }
        return parts.joined(separator: ", ")
    }

    private func body(of payload: PayloadRecord) -> [String] {
        if let lines = PrettyJSON.lines(payload.body) { return lines }
        guard let text = payload.text else { return ["\(payload.body.count) bytes: \(payload.hexadecimalBody)"] }
        return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
            TerminalText.safe(String($0))
        }
    }

    /// `2026-11-22 14:30:01.123456 UTC` from a stored time.
    private func moment(_ text: String) -> String {
        text.hasSuffix("Z") ? text.dropLast().map { $0 == "T" ? " " : $0 } + " UTC" : text
    }

    // MARK: Layout

    private mutating func title(_ text: String, _ more: String?) {
        if !lines.isEmpty { lines.append("") }
        lines.append(TerminalText.safe(more.map { "\(text) — \($0)" } ?? text))
    }

    private mutating func field(_ name: String, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        lines.append("  " + name.padded(to: 12) + " " + TerminalText.safe(value))
    }

    /// A field of several lines, which are safe already.
    private mutating func field(_ name: String, _ values: [String]) {
        for (index, value) in values.enumerated() {
            lines.append("  " + (index == 0 ? name : "").padded(to: 12) + " " + value)
        }
    }
}
