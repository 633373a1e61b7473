/// What an execution came to, in the six words that the database, the topic and the original design use.
package enum ExecutionStatus: String, CaseIterable, Sendable {
    case submitted
    case accepted
    case filled
    case rejected
    case cancelled
    case partialFill = "partial_fill"
}

/// What is known of the one attempt to place an order.
package enum Certainty: String, CaseIterable, Sendable {
    /// The request is durable; it may or may not have left.
    case sending
    /// The broker said yes or no, and we read it.
    case answered
    /// Nothing was written to the broker.
    case notSent = "not_sent"
    /// It was or may have been written, and no readable answer came: the order may exist.
    case unknown
}

/// How it became known what had come of an attempt whose answer was lost, or of one that met an order under its own id.
package enum Resolution: String, CaseIterable, Sendable {
    /// A look-up showed the order.
    case found
    /// The broker had an order of this decision already, from before a database was lost: it is taken for ours.
    case adopted
    /// Look-ups over the whole settle time showed none: nothing was placed.
    case absent
    /// The broker holds another order under this id, which is not ours.
    case taken
}

/// What came of a decision so far.
package enum OutcomeResult: String, CaseIterable, Sendable {
    case pending
    /// All filled.
    case success
    /// Ended with some filled.
    case partial
    /// Ended, or never sent, with nothing filled.
    case failed
    case unknown
}

/// The broker's word for an order's state, as it came. New words appear without notice, so it is open.
package struct OrderStatus: Hashable, Sendable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package static let filled = OrderStatus("filled")
    package static let canceled = OrderStatus("canceled")
    package static let expired = OrderStatus("expired")
    package static let rejected = OrderStatus("rejected")
    package static let replaced = OrderStatus("replaced")

    /// The execution status for the answer to a POST, exactly as the original design maps it.
    /// - Parameter status: Nil for an error answer.
    package static func executionStatus(ofAnswerToPost status: OrderStatus?) -> ExecutionStatus {
        switch status?.text {
        case nil, "", "error": .rejected
        case "new", "pending_new": .submitted
        case "accepted", "pending_replace": .accepted
        case "filled": .filled
        case "rejected", "canceled": .rejected
        case "partially_filled": .partialFill
        default: .submitted
        }
    }

    /// The execution status for what a look-up shows later: like the answer to a POST, but an order that lived and then
    /// ended was cancelled, not rejected.
    package var executionStatusOfLookUp: ExecutionStatus {
        switch self {
        case .canceled, .expired: .cancelled
        default: OrderStatus.executionStatus(ofAnswerToPost: self)
        }
    }

    /// Whether nothing more can happen to an order in this state. A replaced order has ended too; its successor goes on.
    /// (Source: Alpaca, "Orders at Alpaca": `done_for_day` may go on tomorrow.)
    package var isEnd: Bool {
        switch self {
        case .filled, .canceled, .expired, .rejected, .replaced: true
        default: false
        }
    }
}
