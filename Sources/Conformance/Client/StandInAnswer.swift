import StrictJSON
import TradingCore

/// The JSON that the stand-in sends.
enum StandInAnswer {
    static let partition = "conformance"

    static func accepted(_ decision: Decision, number: Int, isDuplicate: Bool) -> [UInt8] {
        body("ack") { writer in
            writer.member("decision_id", decision.id.text)
            writer.member("strategy_name", decision.strategy.text)
            writer.member("status", "accepted")
            writer.member("decision_seq", number)
            writer.member("duplicate", isDuplicate)
            writer.member("stream", OutcomeScriptStream.first)
            unknown(&writer)
        }
    }

    static func refused(_ refused: RefusedFrame) -> [UInt8] {
        body("ack") { writer in
            writer.member("decision_id", refused.decisionID)
            writer.member("strategy_name", refused.strategyName)
            writer.member("status", "refused")
            writer.member("code", refused.refusal.code.rawValue)
            writer.member("field", refused.refusal.field)
            writer.member("message", refused.refusal.message)
            writer.member("retry", refused.refusal.retry)
        }
    }

    static func pong(stream: String) -> [UInt8] {
        body("pong") { writer in
            writer.member("stream", stream)
            writer.member("partition", partition)
        }
    }

    static func reconcile(stream: String) -> [UInt8] {
        body("reconcile") { writer in
            writer.member("unknown", 0)
            writer.key("client_order_ids")
            writer.array { _ in }
            writer.member("stream", stream)
        }
    }

    /// A heartbeat or a status.
    static func state(_ type: String, stream: String, strategy: String, seq: Int64) -> [UInt8] {
        body(type) { writer in
            writer.member("stream", stream)
            writer.member("partition", partition)
            writer.member("seq", seq)
            writer.key("strategies")
            writer.object { writer in
                guard seq > 0 else { return }
                writer.key(strategy)
                writer.number(seq)
            }
            for member: StaticString in ["pending", "oldest_pending_ms", "unknown", "refused"] {
                writer.member(member, 0)
            }
            writer.key("halted")
            writer.array { _ in }
            unknown(&writer)
        }
    }

    /// An outcome of a decision that was not sent; both its counters are `seq`.
    static func outcome(stream: String, strategy: String, symbol: String, seq: Int64) -> [UInt8] {
        body("outcome") { writer in
            writer.member("stream", stream)
            writer.member("seq", seq)
            writer.member("strategy_seq", seq)
            writer.member("partition", partition)
            writer.member("decision_id", "conformance-\(seq)")
            writer.member("strategy_name", strategy)
            writer.member("symbol", symbol)
            writer.member("side", "buy")
            writer.member("quantity", "1")
            writer.key("notional")
            writer.null()
            writer.member("result", "failed")
            writer.member("final", true)
            writer.member("decision_status", "failed")
            writer.member("reason", "expired")
            writer.key("execution")
            writer.null()
            writer.member("at", "2026-11-22T14:30:01.123456Z")
            unknown(&writer)
        }
    }

    static func replay(
        _ request: ReplayRequest, outcomes: [[UInt8]], hasMore: Bool, stream: String
    ) -> [UInt8] {
        body("replay") { writer in
            writer.member("strategy_name", request.strategy?.text)
            writer.member("after", request.after)
            writer.key("outcomes")
            writer.array { writer in
                for outcome in outcomes { writer.raw(outcome) }
            }
            writer.member("more", hasMore)
            writer.member("stream", stream)
        }
    }

    /// A member that no client knows, and that every client must bear.
    private static func unknown(_ writer: inout JSONWriter) {
        writer.key("not_known_yet")
        writer.object { $0.member("to_be", "ignored") }
    }

    private static func body(_ type: String, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("v", 1)
            writer.member("type", type)
            members(&writer)
        }
        return writer.bytes
    }
}
