import AlpacaAPI
import StrictJSON
import TradingCore

/// One decision's whole life, line by line: its frame; what its one attempt came to; then what look-ups came to. An
/// execution only changes forwards, and tells of no more and no less than was shown.
///
/// The attempt is `not-sent`, `lost`, `restart`, or an answer: a status code, a space and a body. A look-up is an answer,
/// or `absent`.
func checkExecution(_ bytes: [UInt8]) throws {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 24)
    guard lines.count >= 2, case .success(.decision(let decision)) = RequestFrame.read(Array(lines[0])) else { return }
    let start = Timestamp(nanoseconds: 1_767_225_600_000_000_000)
    var execution = Execution(
        id: "0b36c0f8-7d5e-4e0e-9d8b-0f0f0f0f0f0f", clientOrderID: decision.clientOrderID, submittedAt: start)
    let evidence = try end(&execution, decision, Line(lines[1]), at: start.advanced(bySeconds: 1))
    try check(execution, decision, evidence)
    for (index, line) in lines.dropFirst(2).enumerated() {
        let before = execution
        let time = start.advanced(bySeconds: Int64(index) + 2)
        let (isNew, evidence) = lookUp(&execution, decision, Line(line), at: time)
        try check(execution, decision, isNew ? evidence : nil)
        try check(execution, after: before, isNew: isNew, decision)
        if isNew, let evidence { try checkFill(execution, after: before, decision, evidence) }
    }
}

/// One line of the input.
private struct Line {
    let word: String
    let body: [UInt8]

    init(_ bytes: ArraySlice<UInt8>) {
        let parts = bytes.split(separator: UInt8(ascii: " "), maxSplits: 1)
        word = parts.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        body = parts.count == 2 ? Array(parts[1]) : []
    }
}

/// Ends the attempt, and gives the order that was shown, if one was.
private func end(
    _ execution: inout Execution, _ decision: Decision, _ line: Line, at time: Timestamp
) throws -> JSONValue? {
    let result: HTTPExchangeResult
    switch line.word {
    case "restart":
        execution.findAfterRestart()
        try expect(execution.result == .unknown, "an attempt that was cut off is unknown")
        return nil
    case "not-sent": result = .notSent(reason: "no route")
    case "lost": result = .lost(reason: "cut", partial: nil)
    default:
        result = .answered(HTTPAnswer(statusCode: Int(line.word) ?? 200, body: line.body))
    }
    let meaning = AttemptResult(result, clientOrderID: execution.clientOrderID)
    var code: Int?
    if case .answered(let answer) = result { code = answer.statusCode }
    execution.end(meaning, httpStatusCode: code, terms: decision.order, at: time)
    switch meaning {
    case .taken: return tree(line.body)
    case .refused, .notSent: try expect(execution.result == .failed, "what was refused has failed")
    case .exists, .lost: try expect(execution.result == .unknown, "what may be alive is unknown")
    }
    return nil
}

/// Tells the execution what a look-up came to, as the worker does: whether it was new, and the order that was shown.
private func lookUp(
    _ execution: inout Execution, _ decision: Decision, _ line: Line, at time: Timestamp
) -> (isNew: Bool, evidence: JSONValue?) {
    if line.word == "absent" {
        guard execution.canBeProvenAbsent else { return (false, nil) }
        execution.proveAbsent(at: time)
        return (true, nil)
    }
    guard line.word == "200" else { return (false, nil) }
    if let order = OrderAnswer.order(line.body) {
        return (execution.observe(order, terms: decision.order, at: time), tree(line.body))
    }
    guard let listing = OrderAnswer.listing(line.body),
        let (order, bytes) = listing.first(where: { $0.order.id == execution.followedOrderID })
    else { return (false, nil) }
    return (execution.observe(order, terms: decision.order, at: time), tree(bytes))
}

/// What must be true of every execution whose attempt is over.
private func check(_ execution: Execution, _ decision: Decision, _ evidence: JSONValue?) throws {
    try expect(execution.certainty != .sending, "an attempt that is over is over")
    switch execution.decisionStatus {
    case .pending: throw BrokenProperty(description: "what was sent does not wait")
    case .executing: try expect(execution.result == .unknown || execution.result == .pending, "going on is no end")
    case .executed:
        try expect(execution.alpacaOrderID != nil, "what is executed has an order")
        try expect(
            execution.orderStatus == .filled || execution.filledQuantity?.isPositive ?? false,
            "what is executed has a fill")
        try expect(execution.orderStatus?.isEnd ?? false, "what is executed has ended at the broker")
    case .failed:
        try expect(execution.filledQuantity?.isZero ?? true, "what has failed has filled nothing")
        try expect(execution.reason != nil, "what has failed says why")
        try expect(
            execution.alpacaOrderID == nil || execution.orderStatus?.isEnd ?? false,
            "an order that may be alive has not failed")
        if execution.alpacaOrderID != nil, let evidence, decision.order.orderClass == .oneCancelsOther {
            let exits = [evidence] + (evidence["legs"]?.array ?? []).filter { $0.members != nil }
            try expect(!exits.contains(where: mayBeFilled), "an order one side of which may have filled has not failed")
        }
    }
    if execution.result == .success {
        try expect(execution.orderStatus == .filled, "only what the broker calls filled is a success")
    }
    for amount in [
        execution.filledQuantity, execution.filledAveragePrice, execution.commission, execution.filledBeforeReplacement,
    ] {
        guard let amount else { continue }
        try expect(ExactDecimal(amount.text)?.text == amount.text, "an amount that is stored can be read")
    }
    for time in [execution.filledAt, execution.rejectedAt, execution.orderUpdatedAt] {
        if let time { try checkStorable(time) }
    }
    let outcome = try published(execution, decision)
    try expect(outcome["final"]?.bool == execution.decisionStatus.isFinal, "an outcome says whether it is the last")
    try expect(
        isSameText(outcome["execution"]?["filled_quantity"]?.string, execution.filledQuantity?.text),
        "an outcome tells the fill to the digit")
}

/// What must be true of every change.
private func check(
    _ after: Execution, after before: Execution, isNew: Bool, _ decision: Decision
) throws {
    if before.decisionStatus.isFinal { try expect(after == before && !isNew, "what is final stays final") }
    if !isNew, after != before {
        try expect(
            isSame(try published(after, decision), try published(before, decision)), "what is not new changes nothing")
    }
    if let known = before.filledQuantity {
        try expect(after.filledQuantity.map { known <= $0 } ?? false, "a fill is never taken back")
    }
    try expect(before.filledBeforeReplacement <= after.filledBeforeReplacement, "nor that of a replaced order")
    try expect(
        before.alpacaOrderID == nil || isSameText(after.alpacaOrderID, before.alpacaOrderID),
        "the placed order stays the same")
    try expect(after.httpStatusCode == before.httpStatusCode, "the attempt's answer stays the same")
    switch before.certainty {
    case .sending: throw BrokenProperty(description: "an attempt that is over is over")
    case .answered, .notSent: try expect(after.certainty == before.certainty, "what is known stays known")
    case .unknown: try expect(after.certainty == .unknown || after.certainty == .answered, "what is found is known")
    }
}

/// After an order was shown, the fill is what it shows and what went before it. An OCO order's is that of both exits.
private func checkFill(
    _ after: Execution, after before: Execution, _ decision: Decision, _ evidence: JSONValue
) throws {
    guard after.alpacaOrderID != nil, decision.order.orderClass != .oneCancelsOther,
        let shown = evidence.present("filled_qty")?.amountText.flatMap({ ExactDecimal($0) })
    else { return }
    try expect(
        after.filledQuantity == before.filledBeforeReplacement + shown, "the fill is what was shown and went before")
}

/// The outcome of an execution as subscribers read it.
private func published(_ execution: Execution, _ decision: Decision) throws -> JSONValue {
    guard let partition = PartitionName("p0") else { throw BrokenProperty(description: "this is a name") }
    let outcome = Outcome(DecisionSummary(decision), of: execution, at: execution.submittedAt)
    return try JSONValue(
        parsing: outcome.body(
            OutcomeNumbers(seq: 1, strategySeq: 1), from: OutcomeSource(stream: "stream", partition: partition)))
}
