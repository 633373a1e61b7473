import Monitoring
import StrictJSON
import TradingCore

/// Outcomes as workers publish them.
enum Samples {
    static func json(
        _ decision: String = "d-1", seq: Int64 = 1, strategy: String = "s", result: String = "success",
        status: String? = "filled", error: String? = nil, reason: String? = nil, answeredAfterMilliseconds: Int64 = 20
    ) -> JSONValue {
        let began = Timestamp("2026-11-22T14:30:00Z")!
        let at = Timestamp(nanoseconds: began.nanoseconds + answeredAfterMilliseconds * 1_000_000)
        let isFinal = result != "pending" && result != "unknown"
        let execution: JSONValue =
            status.map {
                [
                    "status": .string($0), "certainty": result == "unknown" ? "unknown" : "answered",
                    "http_status_code": .number(error == nil ? "200" : "403"),
                    "error_message": error.map { .string($0) } ?? .null, "submitted_at": .string(began.text),
                ]
            } ?? .null
        return [
            "v": 1, "type": "outcome", "stream": "9f2c", "seq": .number("\(seq)"), "strategy_seq": .number("\(seq)"),
            "partition": "p0", "decision_id": .string(decision), "strategy_name": .string(strategy), "symbol": "AAPL",
            "side": "buy", "quantity": "1", "result": .string(result), "final": .bool(isFinal),
            "decision_status": "executed", "reason": reason.map { .string($0) } ?? .null, "execution": execution,
            "at": .string(at.text),
        ]
    }

    static func outcome(
        _ decision: String = "d-1", seq: Int64 = 1, strategy: String = "s", result: String = "success",
        status: String? = "filled", error: String? = nil, reason: String? = nil, answeredAfterMilliseconds: Int64 = 20
    ) -> SeenOutcome {
        SeenOutcome(
            json(
                decision, seq: seq, strategy: strategy, result: result, status: status, error: error, reason: reason,
                answeredAfterMilliseconds: answeredAfterMilliseconds), partition: "p0")!
    }

    static func heartbeat(
        seq: Int64 = 0, stream: String = "9f2c", partition: String = "p0", unknown: Int64 = 0, halted: [String] = []
    ) -> Heartbeat {
        Heartbeat([
            "v": 1, "type": "heartbeat", "stream": .string(stream), "partition": .string(partition),
            "seq": .number("\(seq)"), "strategies": ["s": 1], "pending": 2, "oldest_pending_ms": 1500,
            "unknown": .number("\(unknown)"), "refused": 3, "halted": .array(halted.map { .string($0) }),
        ])!
    }

    static func state(_ partitions: String...) -> MonitoredState {
        var state = MonitoredState(startedAt: Timestamp("2026-11-22T14:00:00Z")!)
        for name in partitions {
            state.partitions[name] = MonitoredPartition(
                name: name, outcomesEndpoint: "tcp://x:2", intakeEndpoint: "tcp://x:1", isEncrypted: false,
                position: nil, at: second(0))
        }
        return state
    }

    static func second(_ number: Int64) -> MonotonicTime { MonotonicTime(microseconds: number * 1_000_000) }
}
