import StrictJSON

/// Decisions as strategies send them, some 480 bytes each.
package struct DecisionFrames {
    /// What a decision is called.
    package struct Name: Hashable, Sendable {
        package let strategy: String
        package let id: String

        package init(strategy: String, id: String) {
            self.strategy = strategy
            self.id = id
        }

        package var clientOrderID: String { "\(strategy):\(id)" }
    }

    private let strategies: [String]
    /// Makes ids that no run before has used: seeded databases keep what they have.
    private let prefix: String
    private static let symbols = ["AAPL", "MSFT", "NVDA", "AMZN", "GOOG", "META", "TSLA", "KO", "PEP", "XOM"]

    /// - Parameter word: What the ids begin with.
    package init(strategies: Int, word: String) {
        self.strategies = (1...strategies).map { "bench-\($0)" }
        prefix = "\(word)-\(RandomUUID.text().prefix(8))"
    }

    /// Which strategy sends the decision of an index: they take turns.
    package func strategy(of index: Int) -> Int { index % strategies.count }

    package func name(_ index: Int) -> Name {
        Name(strategy: strategies[strategy(of: index)], id: "\(prefix)-\(index)")
    }

    package func body(_ index: Int) -> [UInt8] {
        let name = name(index)
        var writer = JSONWriter(reserving: 512)
        writer.object { writer in
            writer.member("v", 1)
            writer.member("decision_id", name.id)
            writer.member("strategy_name", name.strategy)
            writer.member("symbol", DecisionFrames.symbols[index % DecisionFrames.symbols.count])
            writer.member("side", index.isMultiple(of: 2) ? "buy" : "sell")
            writer.member("quantity", "\(1 + index % 100)")
            writer.member("order_type", "market")
            writer.member("time_in_force", "day")
            writer.key("rationale")
            writer.raw(DecisionFrames.rationale)
        }
        return writer.bytes
    }

    static let rationale = Array(
        """
        {"signal_strength":8.5,"model":"mean-reversion-v3","features":{"zscore":-2.31,"rsi":27.4,"volume_ratio":1.8,\
        "spread_bps":3.2},"horizon_minutes":45,"comment":"price is two deviations below its mean of twenty days"}
        """.utf8)
}
