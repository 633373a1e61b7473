import StrictJSON

/// Bodies of messages to the intake.
enum Requests {
    /// The strategies that our decisions belong to, beside those of the golden frames.
    static let strategy = "conformance"
    static let otherStrategy = "conformance-2"

    static let ping = #"{"v":1,"type":"ping"}"#
    static let status = #"{"v":1,"type":"status"}"#

    /// - Parameter after: `strategy_seq` with a strategy, else `seq`.
    static func replay(_ strategy: String?, after: Int64, limit: Int? = nil) -> String {
        text { writer in
            writer.member("type", "replay")
            if let strategy { writer.member("strategy_name", strategy) }
            writer.member("after", after)
            if let limit { writer.member("limit", limit) }
        }
    }

    /// A decision that is accepted and never sent: its deadline is over, and no broker knows its symbol.
    static func decision(_ id: String, of strategy: String = strategy) -> String {
        text { writer in
            writer.member("decision_id", id)
            writer.member("strategy_name", strategy)
            writer.member("symbol", "CONFORMANCE.TEST")
            writer.member("side", "buy")
            writer.member("quantity", "1")
            writer.member("expires_at", "2001-01-01T00:00:00Z")
        }
    }

    /// A decision that places an order.
    static func order(_ id: String, _ sample: WorkerUnderTest.SampleOrder) -> String {
        text { writer in
            writer.member("decision_id", id)
            writer.member("strategy_name", strategy)
            writer.member("symbol", sample.symbol)
            writer.member("side", "buy")
            writer.member("quantity", sample.quantity)
            writer.member("order_type", "limit")
            writer.member("limit_price", sample.limitPrice)
            writer.member("time_in_force", "ioc")
        }
    }

    private static func text(_ members: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("v", 1)
            members(&writer)
        }
        return writer.text
    }
}
