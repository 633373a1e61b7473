import AlpacaAPI
import StrictJSON
import TradingCore

/// A message on the intake: what is taken for a decision asks the broker for exactly what the frame says and for
/// nothing else, and what is refused is refused with words that help.
func checkDecisionFrame(_ bytes: [UInt8]) throws {
    let result = RequestFrame.read(bytes)
    try expect(RequestFrame.read(bytes) == result, "the same frame means the same")
    let frame = tree(bytes, depthLimit: RequestFrame.depthMax)
    switch result {
    case .failure(let refused): try check(refused, frame, bytes)
    case .success(let request):
        guard let frame else { throw BrokenProperty(description: "what is taken is strict JSON") }
        switch request {
        case .decision(let decision): try check(decision, frame)
        case .replay(let replay):
            try expect(frame["type"] == "replay" && frame["after"]?.integer == replay.after, "a replay is asked for")
            try expect(replay.after >= 0 && (1...ReplayRequest.limitMax).contains(replay.limit), "a replay has limits")
            try expect(isSameText(frame.present("strategy_name")?.string, replay.strategy?.text), "of its strategy")
        case .reconcile(let id):
            try expect(frame["type"] == "reconcile", "look-ups are asked for")
            let names = [frame.present("strategy_name")?.string, frame.present("decision_id")?.string].compactMap { $0 }
            try expect(isSameText(names.isEmpty ? nil : names.joined(separator: ":"), id?.text), "of its decision")
        case .status: try expect(frame["type"] == "status", "a status is asked for")
        case .ping: try expect(frame["type"] == "ping", "a ping is asked for")
        }
    }
}

private func check(_ refused: RefusedFrame, _ frame: JSONValue?, _ bytes: [UInt8]) throws {
    let refusal = refused.refusal
    try expect(!refusal.message.isEmpty && refusal.message.unicodeScalars.count <= 301, "a refusal says why, briefly")
    try expect(refusal.field.map { $0.unicodeScalars.count <= 101 } ?? true, "a refusal names a field, briefly")
    try expect(!refusal.retry, "what is wrong with a frame stays wrong")
    if bytes.count > RequestFrame.bytesMax {
        try expect(refusal.code == .tooLarge, "too large is too large")
    } else if !isJSON(bytes, refusesDuplicateKeys: false) || frame.map({ $0.members == nil }) ?? false {
        try expect(refusal.code == .badJSON, "what is no JSON object is called so")
    } else if frame != nil {
        try expect(
            refusal.code == .badField || refusal.code == .unsupportedVersion, "a JSON object is not called bad JSON")
        try expect(refusal.field != nil, "the field to blame is named")
    }
    try expect(refused.decisionID.map { DecisionID($0) != nil } ?? true, "only a name is given back")
    try expect(refused.strategyName.map { StrategyName($0) != nil } ?? true, "only a name is given back")
}

private func check(_ decision: Decision, _ frame: JSONValue) throws {
    let body = OrderRequest.body(for: decision)
    guard let request = tree(body) else { throw BrokenProperty(description: "a request is strict JSON") }
    let expected = try expectedRequest(frame)
    try expect(isSame(request, expected), "the broker is asked for \(expected.text), not for \(request.text)")
    let quantity = request["qty"]?.string.flatMap { ExactDecimal($0) }
    let notional = request["notional"]?.string.flatMap { ExactDecimal($0) }
    try expect((quantity == nil) != (notional == nil), "an order has a quantity or an amount of money, not both")
    try expect((quantity ?? notional)?.isPositive ?? false, "an order is for more than nothing")
    try expect(decision.clientOrderID.text.utf8.count <= 128, "the broker takes the client order id")

    if let rationale = decision.rationale {
        guard let stored = tree(Array(rationale.utf8)), let sent = frame["rationale"] else {
            throw BrokenProperty(description: "a rationale is strict JSON and stands in the frame")
        }
        try expect(stored.members != nil && isSame(stored, sent), "a rationale is kept as it came")
    } else {
        try expect(frame.present("rationale") == nil, "a rationale is kept")
    }
    try expect(decision.sequence == frame["sequence"]?.integer, "a sequence is kept")
    try checkDeadline(decision, frame)

    var rewritten = try RequestFrame.read(Array(frame.text.utf8)).get()
    if case .decision(var other) = rewritten {
        other.rationale = decision.rationale
        rewritten = .decision(other)
    }
    try expect(rewritten == .decision(decision), "white space and escapes do not matter")
}

private func checkDeadline(_ decision: Decision, _ frame: JSONValue) throws {
    // At the start of 2026, and a day after boot.
    let now = ClockReading(
        moment: Timestamp(nanoseconds: 1_767_225_600_000_000_000),
        monotonic: MonotonicTime(microseconds: 86_400_000_000), bootID: "boot")
    let deadline = Deadline(of: decision.deadline, maxAge: .seconds(300), acceptedAt: now)
    switch decision.deadline {
    case nil:
        try expect(frame.present("expires_at") == nil && frame.present("valid_for_ms") == nil, "a deadline is kept")
        try expect(!deadline.hasPassed(at: now), "a decision without a deadline is fresh")
    case .at(let moment):
        try expect(frame["expires_at"]?.string.flatMap { Timestamp($0) } == moment, "a deadline is as given")
        try expect(deadline.hasPassed(at: now) == (moment <= now.moment), "a deadline has passed when it has")
        try checkStorable(moment)
    case .after(let duration):
        try expect(frame["valid_for_ms"]?.integer.map { $0 * 1000 } == duration.count, "a deadline is as given")
        try expect(!deadline.hasPassed(at: now), "a time to come has not passed")
        try checkStorable(deadline.moment)
    }
}

/// The request that a frame asks for, put together from its text, without the code under test.
private func expectedRequest(_ frame: JSONValue) throws -> JSONValue {
    typealias Member = JSONValue.Member
    func amount(_ key: String, of object: JSONValue, as name: String? = nil) throws -> [Member] {
        guard let value = object.present(key) else { return [] }
        guard let text = value.amountText else { throw BrokenProperty(description: "\(key) is an amount") }
        let mayBeNumber = ["quantity", "notional", "ratio_qty"].contains(key) && !text.contains { ".eE".contains($0) }
        try expect(value.string != nil || mayBeNumber, "\(key) is quoted where its sender may have rounded it")
        return [Member(name ?? key, .string(text))]
    }
    func word(_ key: String, of object: JSONValue, as name: String? = nil, otherwise: JSONValue? = nil) -> [Member] {
        (object.present(key) ?? otherwise).map { [Member(name ?? key, $0)] } ?? []
    }
    guard let strategy = frame["strategy_name"]?.string, let id = frame["decision_id"]?.string else {
        throw BrokenProperty(description: "a decision has a name")
    }
    var members: [Member] = word("symbol", of: frame)
    members += try amount("quantity", of: frame, as: "qty") + amount("notional", of: frame)
    members += word("side", of: frame) + word("order_type", of: frame, as: "type", otherwise: "market")
    members += word("time_in_force", of: frame, otherwise: "day")
    for key in ["limit_price", "stop_price", "trail_price", "trail_percent"] { members += try amount(key, of: frame) }
    members += word("extended_hours", of: frame) + word("position_intent", of: frame)
    members += word("order_class", of: frame).map { $0.value == "" ? Member($0.key, "simple") : $0 }
    if let exit = frame.present("take_profit") {
        members.append(Member("take_profit", .object(try amount("limit_price", of: exit))))
    }
    if let exit = frame.present("stop_loss") {
        members.append(
            Member("stop_loss", .object(try amount("stop_price", of: exit) + amount("limit_price", of: exit))))
    }
    if let legs = frame.present("legs")?.array, !legs.isEmpty {
        members.append(
            Member(
                "legs",
                .array(
                    try legs.map { leg in
                        .object(
                            word("symbol", of: leg) + (try amount("ratio_qty", of: leg)) + word("side", of: leg)
                                + word("position_intent", of: leg))
                    })))
    }
    return .object(members + [Member("client_order_id", .string("\(strategy):\(id)"))])
}
