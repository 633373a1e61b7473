import TradingCore

/// When the attempts of these tests begin.
let start = Timestamp(nanoseconds: 1_795_357_800_000_000_000)

/// A moment of these tests.
func at(_ seconds: Int64) -> Timestamp { start.advanced(bySeconds: seconds) }

func decimal(_ text: String) throws -> ExactDecimal {
    guard let value = ExactDecimal(text) else { throw Unexpected(what: text) }
    return value
}

/// The attempt at the decision of `frame()`, about to begin.
func attempt() throws -> Execution {
    Execution(
        id: "0b36c0f8-7d5e-4e0e-9d8b-0f0f0f0f0f0f", clientOrderID: try decision().clientOrderID, submittedAt: start)
}

/// The broker's order for the decision of `frame()`.
func order(
    _ status: String, id: String = "order-1", filled: String? = "0", at price: String? = nil, updated: Int64? = nil,
    replacedBy: String? = nil
) throws -> BrokerOrder {
    BrokerOrder(
        id: id, clientOrderID: "mean-rev:d-17", status: OrderStatus(status), symbol: "AAPL", side: "buy",
        quantity: try decimal("100"), filledQuantity: try filled.map(decimal),
        filledAveragePrice: try price.map(decimal),
        updatedAt: updated.map(at), replacedBy: replacedBy)
}

extension Execution {
    /// Where it stands, in one line.
    var line: String {
        let fill = filledQuantity.map { " \($0.text)" + (filledAveragePrice.map { "@\($0.text)" } ?? "") } ?? ""
        return "\(status.rawValue) \(certainty.rawValue) \(decisionStatus.rawValue) \(result.rawValue)" + fill
    }

    /// Ends the attempt at the decision of `frame()` with the broker's order.
    mutating func end(_ order: BrokerOrder) throws {
        end(.taken(order), httpStatusCode: 200, terms: try decision().order, at: at(1))
    }

    /// What a look-up of the decision of `frame()` makes of it: nil where it changes nothing, else where it stands.
    mutating func look(_ order: BrokerOrder, at time: Timestamp = at(2)) throws -> String? {
        let before = self
        guard observe(order, terms: try decision().order, at: time) else {
            guard self.line == before.line else { throw Unexpected(what: "changed without a word: \(self)") }
            return nil
        }
        return line
    }
}
