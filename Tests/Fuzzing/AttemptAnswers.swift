import AlpacaAPI
import StrictJSON
import TradingCore

/// The body of an answer to our POST, under a status code of every class: nothing is called refused that the broker did
/// not refuse, nor taken that it did not show, and a refusal always says something.
func checkAttemptAnswer(_ bytes: [UInt8]) throws {
    guard let id = DecisionID("d-17"), let strategy = StrategyName("mean-rev") else {
        throw BrokenProperty(description: "these are names")
    }
    let ours = ClientOrderID(strategy, id)
    let shown = OrderAnswer.order(bytes).flatMap { $0.clientOrderID == ours.text ? $0 : nil }
    switch result(200, bytes, ours) {
    case .taken(let order): try expect(order == shown, "what is taken is the order that is shown")
    case .lost: try expect(shown == nil, "an order of ours that is shown is not lost")
    case .refused, .exists, .notSent: throw BrokenProperty(description: "a success refuses nothing")
    }
    switch result(422, bytes, ours) {
    case .refused(let error):
        try expect(!saysThatIDExists(bytes), "an order that exists is not called refused")
        try check(error, bytes)
    case .exists(let error): try check(error, bytes)
    case .lost: try expect(!ErrorAnswer.isReadable(bytes), "a refusal that can be read is an answer")
    case .taken, .notSent: throw BrokenProperty(description: "a refusal is an answer")
    }
    for code in [302, 504] {
        guard case .lost(let reason) = result(code, bytes, ours) else {
            throw BrokenProperty(description: "HTTP \(code) says nothing about the order")
        }
        try expect(reason.utf8.starts(with: "HTTP \(code): ".utf8), "what is lost says why")
    }
    let partial = HTTPAnswer(statusCode: 422, body: bytes)
    try expect(
        AttemptResult(.lost(reason: "cut", partial: partial), clientOrderID: ours) == .lost(reason: "cut"),
        "the part of an answer proves nothing")
}

private func result(_ code: Int, _ bytes: [UInt8], _ ours: ClientOrderID) -> AttemptResult {
    AttemptResult(.answered(HTTPAnswer(statusCode: code, body: bytes)), clientOrderID: ours)
}

private func check(_ error: BrokerError, _ bytes: [UInt8]) throws {
    try expect(!error.message.isEmpty, "an error has a message")
    guard let json = tree(bytes), let message = json["message"]?.string, !message.isEmpty else { return }
    try expect(isSameText(error.message, message), "the broker's message is kept")
    try expect(error.code == json["code"]?.integer, "the broker's code is kept")
}

/// Whether the bytes plainly say so, wherever in them. Where there are escapes, the words may be others than they seem.
private func saysThatIDExists(_ bytes: [UInt8]) -> Bool {
    guard bytes.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "\\") }) else { return false }
    return String(decoding: bytes, as: UTF8.self).lowercased().contains("client_order_id must be unique")
}
