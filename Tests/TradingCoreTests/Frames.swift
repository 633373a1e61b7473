import TradingCore

/// Thrown where a frame met the opposite of what a test is about.
struct Unexpected: Error {
    let what: String
}

/// The JSON text of an object.
func object(_ members: [(key: String, json: String)]) -> String {
    "{" + members.map { "\"\($0.key)\":\($0.json)" }.joined(separator: ",") + "}"
}

/// A decision frame that buys 100 AAPL at the market, with some members set to another JSON text, added, or (nil) left
/// out.
func frame(_ changes: KeyValuePairs<String, String?> = [:]) -> [UInt8] {
    var members: [(key: String, json: String)] = [
        ("v", "1"), ("decision_id", "\"d-17\""), ("strategy_name", "\"mean-rev\""), ("symbol", "\"AAPL\""),
        ("side", "\"buy\""), ("quantity", "\"100\""),
    ]
    for (key, json) in changes {
        let index = members.firstIndex { $0.key == key }
        switch (index, json) {
        case (let index?, let json?): members[index].json = json
        case (let index?, nil): members.remove(at: index)
        case (nil, let json?): members.append((key, json))
        case (nil, nil): break
        }
    }
    return Array(object(members).utf8)
}

/// The decision that the frame is taken for.
func decision(_ changes: KeyValuePairs<String, String?> = [:]) throws -> Decision {
    let request = try RequestFrame.read(frame(changes)).get()
    guard case .decision(let decision) = request else { throw Unexpected(what: "\(request)") }
    return decision
}

/// How the body is refused.
func refusedFrame(_ body: [UInt8]) throws -> RefusedFrame {
    switch RequestFrame.read(body) {
    case .success(let request): throw Unexpected(what: "taken: \(request)")
    case .failure(let refused): return refused
    }
}

/// Why the decision frame is refused.
func refusal(_ changes: KeyValuePairs<String, String?>) throws -> Refusal {
    try refusedFrame(frame(changes)).refusal
}

func quantity(_ text: String) throws -> Amount {
    guard let value = ExactDecimal(text), let quantity = Quantity(value) else { throw Unexpected(what: text) }
    return .quantity(quantity)
}

func notional(_ text: String) throws -> Amount {
    guard let value = ExactDecimal(text), let notional = Notional(value) else { throw Unexpected(what: text) }
    return .notional(notional)
}
