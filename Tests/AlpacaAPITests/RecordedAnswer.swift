import AlpacaAPI
import Foundation
import StrictJSON
import TradingCore

/// One of the answers in `Answers/`: what the broker was recorded or documented to say.
struct RecordedAnswer: CustomStringConvertible {
    let name: String
    /// Nil for a message of the update stream.
    let httpStatusCode: Int?
    /// The answer's JSON; nil where it was something else.
    let json: JSONValue?
    let body: [UInt8]
    /// The original design's mapping; nil where the answer is not about one order.
    let expectedStatus: String?

    var description: String { name }

    /// Whether it answers a request about one order, with a success.
    var isOfOneOrder: Bool {
        expectedStatus != nil && httpStatusCode == 200 && json?["id"] != nil
            && json?["status"]?.string?.isEmpty == false
    }

    /// The body as if the order in it were ours: with `clientOrderID` in the place of the recorded one.
    func body(with clientOrderID: ClientOrderID) -> [UInt8] {
        guard let members = json?.members, json?["client_order_id"] != nil else { return body }
        let changed = members.map {
            $0.key == "client_order_id" ? JSONValue.Member($0.key, .string(clientOrderID.text)) : $0
        }
        return Array(JSONValue.object(changed).text.utf8)
    }

    static func all() throws -> [RecordedAnswer] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Answers")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == "json" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { try RecordedAnswer($0.deletingPathExtension().lastPathComponent, Array(Data(contentsOf: $0))) }
    }

    private init(_ name: String, _ file: [UInt8]) throws {
        let value = try JSONValue(parsing: file)
        let body = value["body"] ?? .null
        self.name = name
        httpStatusCode = value["http_status"]?.integer.map(Int.init)
        json = body.string == nil ? body : nil
        self.body = Array((body.string ?? body.text).utf8)
        expectedStatus = value["expected_status_by_spec"]?.string
    }
}

/// Thrown where a text of these tests is not what it should be.
struct Unfit: Error {
    let text: String
}

/// The decision `mean-rev` `d-17` with an order; buys 100 AAPL at the market where none is given.
func decision(_ order: OrderTerms? = nil) throws -> Decision {
    guard let id = DecisionID("d-17"), let strategy = StrategyName("mean-rev") else { throw Unfit(text: "names") }
    let market = OrderTerms(symbol: Symbol("AAPL"), side: .buy, amount: try quantity("100"))
    return Decision(id: id, strategy: strategy, order: order ?? market)
}

func decimal(_ text: String) throws -> ExactDecimal {
    guard let value = ExactDecimal(text) else { throw Unfit(text: text) }
    return value
}

func quantity(_ text: String) throws -> Amount {
    guard let quantity = Quantity(try decimal(text)) else { throw Unfit(text: text) }
    return .quantity(quantity)
}

func price(_ text: String) throws -> Price { Price(try decimal(text)) }

/// What an answer to the POST of `decision()` means.
func attemptResult(_ statusCode: Int, _ body: [UInt8]) throws -> AttemptResult {
    let answer = HTTPAnswer(statusCode: statusCode, body: body)
    return AttemptResult(.answered(answer), clientOrderID: try decision().clientOrderID)
}

func attemptResult(_ statusCode: Int, _ body: String) throws -> AttemptResult {
    try attemptResult(statusCode, Array(body.utf8))
}
