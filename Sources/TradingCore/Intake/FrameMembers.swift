import StrictJSON

/// The members of one intake message, each read in its own kind; then, by `request()`, checked together.
///
/// A member of the wrong kind does not stop the reading, so that the answer can still name the decision. Null counts as
/// absent, since many languages write it for a value that is not there.
struct FrameMembers {
    private var seen: FrameFieldSet = []
    private var present: FrameFieldSet = []
    /// The first member that was wrong by itself.
    private var firstRefusal: Refusal?

    private var version: String?
    private var type: String?
    private var decisionID: String?
    private var strategyName: String?
    private var symbol: String?
    private var side: String?
    private var quantity: ExactDecimal?
    private var notional: ExactDecimal?
    private var orderType: String?
    private var timeInForce: String?
    private var limitPrice: ExactDecimal?
    private var stopPrice: ExactDecimal?
    private var trailPrice: ExactDecimal?
    private var trailPercent: ExactDecimal?
    private var extendedHours: Bool?
    private var positionIntent: String?
    private var orderClass: String?
    private var takeProfit: TakeProfit?
    private var stopLoss: StopLoss?
    private var legs: [Leg] = []
    private var expiresAt: String?
    private var validForMilliseconds: Int64?
    private var sequence: Int64?
    private var rationale: String?
    private var after: Int64?
    private var limit: Int64?

    // MARK: Reading

    mutating func read(from reader: inout JSONReader) throws(JSONError) {
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard let field = FrameField(key) else {
                note(.badField(key.text, "unknown field; free data goes into \"rationale\""))
                try reader.skipValue()
                continue
            }
            guard !seen.contains(field) else { throw .duplicateKey(field.name) }
            seen.insert(field)
            if try reader.nullIfPresent() { continue }
            present.insert(field)
            try read(field, from: &reader)
        }
        try reader.finish()
    }

    private mutating func read(_ field: FrameField, from reader: inout JSONReader) throws(JSONError) {
        switch field {
        case .v: version = String(decoding: try reader.rawValue(), as: UTF8.self)
        case .type: type = try text(field.name, &reader)
        case .decisionID: decisionID = try text(field.name, &reader)
        case .strategyName: strategyName = try text(field.name, &reader)
        case .symbol: symbol = try text(field.name, &reader)
        case .side: side = try text(field.name, &reader)
        case .quantity: quantity = try decimal(field.name, &reader, wholeNumbers: true)
        case .notional: notional = try decimal(field.name, &reader, wholeNumbers: true)
        case .orderType: orderType = try text(field.name, &reader)
        case .timeInForce: timeInForce = try text(field.name, &reader)
        case .limitPrice: limitPrice = try decimal(field.name, &reader)
        case .stopPrice: stopPrice = try decimal(field.name, &reader)
        case .trailPrice: trailPrice = try decimal(field.name, &reader)
        case .trailPercent: trailPercent = try decimal(field.name, &reader)
        case .extendedHours: extendedHours = try bool(field.name, &reader)
        case .positionIntent: positionIntent = try text(field.name, &reader)
        case .orderClass: orderClass = try text(field.name, &reader)
        case .takeProfit: takeProfit = try readTakeProfit(&reader)
        case .stopLoss: stopLoss = try readStopLoss(&reader)
        case .legs: legs = try readLegs(&reader)
        case .expiresAt: expiresAt = try text(field.name, &reader)
        case .validForMilliseconds: validForMilliseconds = try integer(field.name, &reader)
        case .sequence: sequence = try integer(field.name, &reader)
        case .rationale: rationale = try object(field.name, &reader)
        case .after: after = try integer(field.name, &reader)
        case .limit: limit = try integer(field.name, &reader)
        }
    }

    private mutating func readTakeProfit(_ reader: inout JSONReader) throws(JSONError) -> TakeProfit? {
        var limitPrice: ExactDecimal?
        try members(of: "take_profit", &reader) { (members, key, reader) throws(JSONError) in
            switch key {
            case "limit_price": limitPrice = try members.decimal("take_profit.limit_price", &reader)
            default: return false
            }
            return true
        }
        guard let limitPrice else {
            note(.badField("take_profit.limit_price", "take_profit needs a limit_price"))
            return nil
        }
        return TakeProfit(limitPrice: Price(limitPrice))
    }

    private mutating func readStopLoss(_ reader: inout JSONReader) throws(JSONError) -> StopLoss? {
        var stopPrice: ExactDecimal?
        var limitPrice: ExactDecimal?
        try members(of: "stop_loss", &reader) { (members, key, reader) throws(JSONError) in
            switch key {
            case "stop_price": stopPrice = try members.decimal("stop_loss.stop_price", &reader)
            case "limit_price": limitPrice = try members.decimal("stop_loss.limit_price", &reader)
            default: return false
            }
            return true
        }
        guard let stopPrice else {
            note(.badField("stop_loss.stop_price", "stop_loss needs a stop_price"))
            return nil
        }
        return StopLoss(stopPrice: Price(stopPrice), limitPrice: limitPrice.map(Price.init))
    }

    private mutating func readLegs(_ reader: inout JSONReader) throws(JSONError) -> [Leg] {
        guard try reader.peekKind() == .array else {
            try refuseKind("legs", "a list of objects", &reader)
            return []
        }
        var legs: [Leg] = []
        var count = 0
        try reader.beginArray()
        while try reader.nextElement() {
            count += 1
            // Who sends thousands shall not have each of them judged.
            guard count <= OrderShape.legCounts.upperBound else {
                note(OrderShape.wrongLegCount)
                try reader.skipValue()
                continue
            }
            var symbol: String?
            var ratio: ExactDecimal?
            var side: String?
            var intent: String?
            try members(of: "legs", &reader) { (members, key, reader) throws(JSONError) in
                switch key {
                case "symbol": symbol = try members.text("legs.symbol", &reader)
                case "ratio_qty": ratio = try members.decimal("legs.ratio_qty", &reader, wholeNumbers: true)
                case "side": side = try members.text("legs.side", &reader)
                case "position_intent": intent = try members.text("legs.position_intent", &reader)
                default: return false
                }
                return true
            }
            do throws(Refusal) {
                guard let symbol = symbol.flatMap(Symbol.init) else {
                    throw .badField("legs.symbol", "each leg needs a symbol")
                }
                guard let ratio = ratio.flatMap(Quantity.init), ratio.value.isWhole else {
                    throw .badField("legs.ratio_qty", "each leg needs a ratio_qty: a whole number from 1")
                }
                let leg = Leg(
                    symbol: symbol, ratioQuantity: ratio, side: try word("legs.side", side),
                    positionIntent: try word("legs.position_intent", intent))
                guard leg.side != nil || leg.positionIntent != nil else {
                    throw .badField("legs.side", "each leg needs a side or a position_intent")
                }
                legs.append(leg)
            } catch {
                note(error)
            }
        }
        return legs
    }

    // MARK: Kinds of values

    private mutating func note(_ refusal: Refusal) {
        if firstRefusal == nil { firstRefusal = refusal }
    }

    private mutating func refuseKind(
        _ field: String, _ wanted: String, _ reader: inout JSONReader
    ) throws(JSONError) {
        note(.badField(field, "\(field) must be \(wanted)"))
        try reader.skipValue()
    }

    private mutating func text(_ field: String, _ reader: inout JSONReader) throws(JSONError) -> String? {
        if try reader.peekKind() == .string { return try reader.string() }
        try refuseKind(field, "a string", &reader)
        return nil
    }

    private mutating func bool(_ field: String, _ reader: inout JSONReader) throws(JSONError) -> Bool? {
        if try reader.peekKind() == .bool { return try reader.bool() }
        try refuseKind(field, "true or false", &reader)
        return nil
    }

    private mutating func integer(_ field: String, _ reader: inout JSONReader) throws(JSONError) -> Int64? {
        guard try reader.peekKind() == .number else {
            try refuseKind(field, "a whole number", &reader)
            return nil
        }
        let value = Int64(try reader.numberToken().text)
        if value == nil { note(.badField(field, "\(field) must be a whole number of at most 64 bits")) }
        return value
    }

    private mutating func object(_ field: String, _ reader: inout JSONReader) throws(JSONError) -> String? {
        guard try reader.peekKind() == .object else {
            try refuseKind(field, "a JSON object", &reader)
            return nil
        }
        return String(decoding: try reader.rawValue(), as: UTF8.self)
    }

    /// A decimal string; or, where `wholeNumbers` says so, a JSON number without fraction or exponent. An unquoted
    /// fraction may have been rounded by its sender's language before it got here, so it is refused.
    private mutating func decimal(
        _ field: String, _ reader: inout JSONReader, wholeNumbers: Bool = false
    ) throws(JSONError) -> ExactDecimal? {
        switch try reader.peekKind() {
        case .string:
            let text = try reader.string()
            if let value = ExactDecimal(text) { return value }
            note(.badField(field, "\(field) must be a plain decimal such as \"0.5\""))
        case .number:
            let literal = try reader.numberToken().text
            if wholeNumbers, let value = ExactDecimal(literal), value.scale == 0 { return value }
            note(.badField(field, "\(field) must be a string: quote it, \"\(field)\":\"\(literal)\""))
        case .object, .array, .bool, .null:
            try refuseKind(field, "a decimal string", &reader)
        }
        return nil
    }

    /// Reads an inner object of known keys; `member` says whether it knew the key.
    private mutating func members(
        of field: String, _ reader: inout JSONReader,
        _ member: (inout FrameMembers, JSONToken, inout JSONReader) throws(JSONError) -> Bool
    ) throws(JSONError) {
        guard try reader.peekKind() == .object else { return try refuseKind(field, "an object", &reader) }
        var keys = KeysSeen()
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard keys.insert(key) else { throw .duplicateKey(key.text) }
            if try reader.nullIfPresent() { continue }
            if try !member(&self, key, &reader) {
                note(.badField("\(field).\(key.text)", "unknown field"))
                try reader.skipValue()
            }
        }
    }

    /// A word of a closed list, where one was given.
    private func word<Word: RawRepresentable & CaseIterable>(
        _ field: String, _ text: String?
    ) throws(Refusal) -> Word? where Word.RawValue == String {
        guard let text else { return nil }
        if let word = Word(rawValue: text) { return word }
        let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
        throw .badField(field, "\(field) must be one of \(words)")
    }

    // MARK: Checking

    func refused(_ refusal: Refusal) -> RefusedFrame {
        RefusedFrame(
            refusal, decisionID: decisionID.flatMap(DecisionID.init)?.text,
            strategyName: strategyName.flatMap(StrategyName.init)?.text)
    }

    func request() throws(Refusal) -> Request {
        guard let version else { throw .badField("v", "every message says \"v\":1") }
        guard version == "1" else {
            throw Refusal(.unsupportedVersion, field: "v", "this worker speaks version 1, written \"v\":1")
        }
        if let firstRefusal { throw firstRefusal }
        switch type {
        case nil:
            try refuse(present.intersection(FrameFieldSet(.after, .limit)), in: "a decision")
            return .decision(try decision())
        case "replay":
            try refuse(
                present.subtracting(FrameFieldSet(.v, .type, .strategyName, .after, .limit)), in: "a replay request")
            return .replay(try replay())
        case "reconcile":
            try refuse(
                present.subtracting(FrameFieldSet(.v, .type, .strategyName, .decisionID)), in: "a reconcile request")
            return .reconcile(try reconcile())
        case "status":
            try refuse(present.subtracting(FrameFieldSet(.v, .type)), in: "a status request")
            return .status
        case "ping":
            try refuse(present.subtracting(FrameFieldSet(.v, .type)), in: "a ping")
            return .ping
        case .some:
            throw .badField("type", "type must be replay, reconcile, status or ping; a decision has none")
        }
    }

    private func refuse(_ fields: FrameFieldSet, in message: String) throws(Refusal) {
        if let field = fields.first { throw .badField(field.name, "unknown field in \(message)") }
    }

    private func replay() throws(Refusal) -> ReplayRequest {
        var strategy: StrategyName?
        if let strategyName {
            guard let name = StrategyName(strategyName) else { throw badStrategyName }
            strategy = name
        }
        guard let after, after >= 0 else {
            throw .badField("after", "after must be the last counter that you have, or 0")
        }
        let limit = limit ?? Int64(ReplayRequest.limitMax)
        guard limit > 0 else { throw .badField("limit", "limit must be 1 or more") }
        return ReplayRequest(
            strategy: strategy, after: after, limit: Int(min(limit, Int64(ReplayRequest.limitMax))))
    }

    private func reconcile() throws(Refusal) -> ClientOrderID? {
        if strategyName == nil, decisionID == nil { return nil }
        guard let strategy = strategyName.flatMap(StrategyName.init) else { throw badStrategyName }
        guard let decision = decisionID.flatMap(DecisionID.init) else { throw badDecisionID }
        return ClientOrderID(strategy, decision)
    }

    private var badDecisionID: Refusal {
        .badField("decision_id", "decision_id must be 1 to 64 of A-Z a-z 0-9 . _ : -")
    }

    private var badStrategyName: Refusal {
        .badField("strategy_name", "strategy_name must be 1 to 48 of A-Z a-z 0-9 . _ -")
    }

    private func decision() throws(Refusal) -> Decision {
        guard let id = decisionID.flatMap(DecisionID.init) else { throw badDecisionID }
        guard let strategy = strategyName.flatMap(StrategyName.init) else { throw badStrategyName }
        if let sequence, sequence < 1 { throw .badField("sequence", "sequence counts from 1") }
        let terms = try order()
        try OrderShape.check(terms)
        return Decision(
            id: id, strategy: strategy, order: terms, deadline: try deadline(), sequence: sequence,
            rationale: rationale)
    }

    private func order() throws(Refusal) -> OrderTerms {
        var symbol: Symbol?
        if let text = self.symbol {
            symbol = Symbol(text)
            if symbol == nil { throw .badField("symbol", "symbol must be 1 to 32 of A-Z a-z 0-9 . / -") }
        }
        return OrderTerms(
            symbol: symbol, side: try word("side", side), amount: try amount(),
            type: try word("order_type", orderType) ?? .market,
            timeInForce: try word("time_in_force", timeInForce) ?? .day, limitPrice: limitPrice.map(Price.init),
            stopPrice: stopPrice.map(Price.init), trailPrice: trailPrice.map(Price.init),
            trailPercent: trailPercent.map(Price.init), extendedHours: extendedHours,
            positionIntent: try word("position_intent", positionIntent),
            orderClass: try word("order_class", orderClass == "" ? "simple" : orderClass), takeProfit: takeProfit,
            stopLoss: stopLoss, legs: legs)
    }

    private func amount() throws(Refusal) -> Amount {
        switch (quantity, notional) {
        case (let value?, nil):
            guard let quantity = Quantity(value) else {
                throw .badField("quantity", "quantity must be greater than zero, with at most 9 decimal places")
            }
            return .quantity(quantity)
        case (nil, let value?):
            guard let notional = Notional(value) else {
                throw .badField("notional", "notional must be greater than zero, with at most 9 decimal places")
            }
            return .notional(notional)
        case (nil, nil): throw .badField("quantity", "a decision needs quantity or notional")
        case (.some, .some): throw .badField("notional", "a decision has quantity or notional, not both")
        }
    }

    private func deadline() throws(Refusal) -> RequestedDeadline? {
        switch (expiresAt, validForMilliseconds) {
        case (nil, nil): return nil
        case (.some, .some): throw .badField("valid_for_ms", "a decision has expires_at or valid_for_ms, not both")
        case (let text?, nil):
            // RFC 3339 writes UTC in both ways, and Python's isoformat() in the longer one.
            guard let moment = Timestamp(text), text.hasSuffix("Z") || text.hasSuffix("+00:00") else {
                throw .badField("expires_at", "expires_at must be RFC 3339 in UTC, such as 2026-11-22T14:30:00Z")
            }
            return .at(moment)
        case (nil, let milliseconds?):
            guard (1...315_360_000_000).contains(milliseconds) else {
                throw .badField("valid_for_ms", "valid_for_ms must be from 1 to 315360000000 (ten years)")
            }
            return .after(.milliseconds(milliseconds))
        }
    }
}
