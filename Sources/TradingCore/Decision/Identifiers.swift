/// A strategy's name: 1 to 48 of `A-Z a-z 0-9 . _ -`.
package struct StrategyName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        guard CharacterRule.name.allows(text, lengths: 1...48) else { return nil }
        self.text = text
    }

    package var description: String { text }
}

/// What a strategy calls one decision: 1 to 64 of `A-Z a-z 0-9 . _ : -`, never used twice by the same strategy.
package struct DecisionID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        guard CharacterRule.decisionID.allows(text, lengths: 1...64) else { return nil }
        self.text = text
    }

    package var description: String { text }
}

/// What is traded: a ticker, a crypto pair such as `BTC/USD`, or an option symbol. 1 to 32 of `A-Z a-z 0-9 . / -`.
package struct Symbol: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        guard CharacterRule.symbol.allows(text, lengths: 1...32) else { return nil }
        self.text = text
    }

    package var description: String { text }
}

/// A decision's name at the broker, `<strategy_name>:<decision_id>`, put on every order.
///
/// The broker takes an order under one such id only once, for ever (`reference`: Alpaca, 422 "client_order_id must be
/// unique"), so that even a worker whose database was lost cannot place a decision twice. At most 113 characters; the
/// broker allows 128.
package struct ClientOrderID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init(_ strategy: StrategyName, _ decision: DecisionID) {
        text = "\(strategy.text):\(decision.text)"
    }

    /// The strategy, whose name holds no colon.
    package var strategy: StrategyName {
        guard let name = StrategyName(String(text.prefix { $0 != ":" })) else {
            preconditionFailure("a client order id begins with a strategy's name")
        }
        return name
    }

    package var description: String { text }
}

/// A name for a partition: a set of strategies served by one worker. Same letters as a strategy's name.
package struct PartitionName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        guard CharacterRule.name.allows(text, lengths: 1...48) else { return nil }
        self.text = text
    }

    package var description: String { text }
}

/// Which characters an identifier may hold.
private struct CharacterRule {
    let punctuation: StaticString

    static let name = CharacterRule(punctuation: "._-")
    static let decisionID = CharacterRule(punctuation: "._:-")
    static let symbol = CharacterRule(punctuation: "./-")

    func allows(_ text: String, lengths: ClosedRange<Int>) -> Bool {
        lengths.contains(text.utf8.count) && text.utf8.allSatisfy(allows)
    }

    private func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            UnsafeBufferPointer(start: punctuation.utf8Start, count: punctuation.utf8CodeUnitCount).contains(byte)
        }
    }
}
