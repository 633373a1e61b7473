import AlpacaAPI
import StrictJSON
import TradeJournal
import TradingCore

/// A trade of the past, as it happened: 97 of 100 were filled at once, 2 were refused by the broker, and 1 was accepted and
/// filled later. The words and sizes are those of a real account.
struct SeededTrade {
    let message: [UInt8]
    let decision: Decision
    let executionID: String
    /// When the decision came in. The rest follows by milliseconds.
    let time: Timestamp
    let ending: Ending

    enum Ending {
        case filled(order: [UInt8])
        case rejected(statusCode: Int, body: [UInt8])
        case acceptedThenFilled(accepted: [UInt8], filled: [UInt8])
    }

    static let strategies = (1...10).map { "strategy-\($0)" }
    /// Three letters each.
    static let symbols = (0..<500).map { number in
        String(
            decoding: [number / 100, number / 10 % 10, number % 10].map { UInt8(ascii: "A") + UInt8($0) }, as: UTF8.self
        )
    }
    private static let refusals: [(Int, String)] = [
        (
            403,
            #"{"code":40310000,"message":"insufficient buying power","buying_power":"120.55","cost_basis":"1502.5"}"#
        ),
        (403, #"{"code":40310000,"message":"insufficient qty available for order (requested: 10, available: 0)"}"#),
        (422, #"{"code":42210000,"message":"asset \"AAA\" is not tradable"}"#),
        (422, #"{"code":40010001,"message":"cost basis must be >= minimal amount of order 1"}"#),
        (403, #"{"code":40310000,"message":"potential wash trade detected. use complex orders"}"#),
        (429, #"{"code":42910000,"message":"rate limit exceeded"}"#),
    ]

    init(_ number: Int, at time: Timestamp, using generator: inout some RandomNumberGenerator) throws {
        let id = RandomUUID.text(using: &generator)
        let strategy = SeededTrade.strategies[Int.random(in: 0..<SeededTrade.strategies.count, using: &generator)]
        let symbol = SeededTrade.symbols[Int.random(in: 0..<SeededTrade.symbols.count, using: &generator)]
        let side = Bool.random(using: &generator) ? "buy" : "sell"
        let quantity = "\(Int.random(in: 1...100, using: &generator))"
        message = SeededTrade.message(id, strategy, symbol, side, quantity)
        guard case .success(.decision(let decision)) = RequestFrame.read(message) else {
            throw BenchmarkFailure("a seeded decision cannot be read")
        }
        self.decision = decision
        self.time = time
        executionID = RandomUUID.timeOrdered(time.nanoseconds / 1_000_000, using: &generator)
        var order = BenchmarkOrder(
            id: RandomUUID.text(using: &generator), clientOrderID: decision.clientOrderID.text, symbol: symbol,
            side: side, quantity: quantity, status: "filled", time: time.text)
        switch number % 100 {
        case 0, 50:
            let (statusCode, body) = SeededTrade.refusals[number / 50 % SeededTrade.refusals.count]
            ending = .rejected(statusCode: statusCode, body: Array(body.utf8))
        case 25:
            let filled = order.json
            order.status = "accepted"
            ending = .acceptedThenFilled(accepted: order.json, filled: filled)
        default: ending = .filled(order: order.json)
        }
    }

    private static func message(
        _ id: String, _ strategy: String, _ symbol: String, _ side: String, _ quantity: String
    ) -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.object { writer in
            writer.member("v", 1)
            writer.member("decision_id", id)
            writer.member("strategy_name", strategy)
            writer.member("symbol", symbol)
            writer.member("side", side)
            writer.member("quantity", quantity)
            writer.key("rationale")
            writer.raw(DecisionFrames.rationale)
        }
        return writer.bytes
    }
}
