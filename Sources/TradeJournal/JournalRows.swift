package import AlpacaAPI
import StrictJSON
package import TradingCore

/// The row of a decision; its id is the `decision_seq` of acks.
package struct DecisionRow: Hashable, Comparable, Sendable {
    package let id: Int64

    package init(_ id: Int64) { self.id = id }

    package static func < (left: DecisionRow, right: DecisionRow) -> Bool { left.id < right.id }
}

/// The row of an execution.
package struct ExecutionRow: Hashable, Sendable {
    package let id: Int64

    package init(_ id: Int64) { self.id = id }
}

/// The row of a request or a response.
package struct PayloadRow: Hashable, Sendable {
    package let id: Int64

    package init(_ id: Int64) { self.id = id }
}

/// A decision that has just come in and is about to be accepted.
package struct Arrival: Sendable {
    package var decision: Decision
    /// The frame, byte for byte.
    package var message: [UInt8]
    package var sender: String?
    package var receivedAt: Timestamp
    package var deadline: Deadline

    package init(decision: Decision, message: [UInt8], sender: String?, receivedAt: Timestamp, deadline: Deadline) {
        self.decision = decision
        self.message = message
        self.sender = sender
        self.receivedAt = receivedAt
        self.deadline = deadline
    }
}

/// A decision that was accepted before.
package struct AcceptedBefore: Sendable {
    package let row: DecisionRow
    /// The frame it came in.
    package let message: [UInt8]
    /// Its newest outcome; nil while there is none.
    package let lastOutcomeSeq: Int64?
    /// What another database had acknowledged, from which it was carried over; nil where this one has accepted it.
    package let acknowledgedStream: String?
    package let acknowledgedSeq: Int64?
}

/// A decision that waits for its turn. A class, so that moving up in the queue copies a pointer.
package final class WaitingDecision: Sendable {
    package let row: DecisionRow
    package let decision: Decision
    package let receivedAt: Timestamp
    package let deadline: Deadline
    /// Whether a process before this one accepted it: a database that knew more than this one, and was lost, may have
    /// told that it was sent. Such a decision is looked up before anything is done with it.
    package let mayHaveBeenSent: Bool
    /// Why it is to be refused, where a process before this one has decided so.
    package let refusal: SendRefusal?

    package init(
        row: DecisionRow, decision: Decision, receivedAt: Timestamp, deadline: Deadline, mayHaveBeenSent: Bool,
        refusal: SendRefusal? = nil
    ) {
        self.row = row
        self.decision = decision
        self.receivedAt = receivedAt
        self.deadline = deadline
        self.mayHaveBeenSent = mayHaveBeenSent
        self.refusal = refusal
    }
}

/// A decision whose attempt has begun, and whose order has not ended or has exits that live on.
package struct OpenExecution: Sendable {
    package let decisionRow: DecisionRow
    package let row: ExecutionRow
    package let decision: Decision
    package var execution: Execution
    /// How many look-ups have been made for it.
    package var lookUps: Int
    /// When its answer was known to be lost, where it was.
    package var lostAt: ClockReading?

    package init(
        decisionRow: DecisionRow, row: ExecutionRow, decision: Decision, execution: Execution, lookUps: Int = 0,
        lostAt: ClockReading? = nil
    ) {
        self.decisionRow = decisionRow
        self.row = row
        self.decision = decision
        self.execution = execution
        self.lookUps = lookUps
        self.lostAt = lostAt
    }

    package var storedState: StoredState { StoredState(execution.decisionStatus, execution.certainty) }
}

/// An outcome as it was stored and is published.
package struct StoredOutcome: Equatable, Sendable {
    package let seq: Int64
    package let topic: String
    package let body: [UInt8]
    package let outcome: Outcome
}

/// A request or a response, to be kept as it is.
package struct Payload: Sendable {
    package enum Kind: String, Sendable {
        case request = "ApiRequest"
        case response = "ApiResponse"
    }

    package var kind: Kind
    package var method: String
    package var endpoint: String
    package var statusCode: Int?
    package var body: [UInt8]
    package var headers: BrokerHeaders?
    /// Made by the worker in place of an answer that the broker never gave.
    package var isSynthetic: Bool

    package init(
        _ kind: Kind, method: String, endpoint: String, statusCode: Int? = nil, body: [UInt8],
        headers: BrokerHeaders? = nil, isSynthetic: Bool = false
    ) {
        self.kind = kind
        self.method = method
        self.endpoint = endpoint
        self.statusCode = statusCode
        self.body = body
        self.headers = headers
        self.isSynthetic = isSynthetic
    }

    /// What stands in place of an answer that never came, in the original design's form.
    package init(pseudoResponse reason: String, method: String, endpoint: String) {
        var writer = JSONWriter(reserving: 128)
        writer.object { writer in
            writer.member("status", "error")
            writer.member("message", reason)
            writer.member("http_status", 500)
        }
        self.init(
            .response, method: method, endpoint: endpoint, statusCode: 500, body: writer.bytes, isSynthetic: true)
    }

    var headersText: String? {
        guard let headers, headers != BrokerHeaders() else { return nil }
        var writer = JSONWriter(reserving: 160)
        writer.object { writer in
            if let value = headers.requestID { writer.member("x-request-id", value) }
            if let value = headers.rateLimit { writer.member("x-ratelimit-limit", value) }
            if let value = headers.rateLimitRemaining { writer.member("x-ratelimit-remaining", value) }
            if let value = headers.rateLimitReset { writer.member("x-ratelimit-reset", value) }
        }
        return writer.text
    }
}
