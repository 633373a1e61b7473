/// The words of an order that Alpaca fixes. Source: Alpaca's OpenAPI document 2.0.1, `/v2/orders`.
package enum OrderSide: String, Sendable {
    case buy
    case sell

    package var opposite: OrderSide { self == .buy ? .sell : .buy }
}

/// What makes an order trade.
package enum SimulatedOrderType: String, Sendable {
    case market
    case limit
    case stop
    case stopLimit = "stop_limit"
    case trailingStop = "trailing_stop"
}

/// How long an order lives.
package enum SimulatedTimeInForce: String, Sendable {
    case day
    case goodTillCanceled = "gtc"
    case atOpening = "opg"
    case atClose = "cls"
    case immediateOrCancel = "ioc"
    case fillOrKill = "fok"
}

/// How orders hang together. A simple order's class is written as the empty text.
package enum SimulatedOrderClass: String, Sendable {
    case simple
    case bracket
    case oneCancelsOther = "oco"
    case oneTriggersOther = "oto"
    case multipleLegs = "mleg"
}

/// Whether an order opens or closes a position.
package enum SimulatedPositionIntent: String, Sendable {
    case buyToOpen = "buy_to_open"
    case buyToClose = "buy_to_close"
    case sellToOpen = "sell_to_open"
    case sellToClose = "sell_to_close"
}

/// Where an order stands. Source: `OrderStatus` of Alpaca's OpenAPI document; `pending_review` from alpaca-py.
package enum SimulatedOrderStatus: Hashable, Sendable {
    case accepted
    case pendingNew
    case new
    case partiallyFilled
    case filled
    case doneForDay
    case canceled
    case expired
    case replaced
    case rejected
    case pendingCancel
    case pendingReplace
    case held
    case acceptedForBidding
    case stopped
    case suspended
    case calculated
    case pendingReview
    /// A word Alpaca does not use today: scripts may name any, since new ones have appeared without notice.
    case other(String)

    private static let known: [SimulatedOrderStatus] = [
        .accepted, .pendingNew, .new, .partiallyFilled, .filled, .doneForDay, .canceled, .expired, .replaced,
        .rejected, .pendingCancel, .pendingReplace, .held, .acceptedForBidding, .stopped, .suspended, .calculated,
        .pendingReview,
    ]

    /// Any text is a status: those of Alpaca by name, and the rest as `other`.
    package init(_ text: String) {
        self = SimulatedOrderStatus.known.first { $0.text == text } ?? .other(text)
    }

    package var text: String {
        switch self {
        case .accepted: "accepted"
        case .pendingNew: "pending_new"
        case .new: "new"
        case .partiallyFilled: "partially_filled"
        case .filled: "filled"
        case .doneForDay: "done_for_day"
        case .canceled: "canceled"
        case .expired: "expired"
        case .replaced: "replaced"
        case .rejected: "rejected"
        case .pendingCancel: "pending_cancel"
        case .pendingReplace: "pending_replace"
        case .held: "held"
        case .acceptedForBidding: "accepted_for_bidding"
        case .stopped: "stopped"
        case .suspended: "suspended"
        case .calculated: "calculated"
        case .pendingReview: "pending_review"
        case .other(let text): text
        }
    }

    /// Whether nothing more can happen to the order.
    package var isFinal: Bool {
        switch self {
        case .filled, .canceled, .expired, .replaced, .rejected: true
        case .accepted, .pendingNew, .new, .partiallyFilled, .doneForDay, .pendingCancel, .pendingReplace, .held,
            .acceptedForBidding, .stopped, .suspended, .calculated, .pendingReview, .other:
            false
        }
    }

    /// Whether a listing with `status=open` shows it. Held legs stand under `closed` there
    /// (alpaca-trade-api-python #322).
    package var isListedAsOpen: Bool { !isFinal && self != .held }
}
