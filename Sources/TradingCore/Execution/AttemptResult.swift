/// What the one attempt to place an order came to, as far as its HTTP exchange tells.
package enum AttemptResult: Equatable, Sendable {
    /// The broker took the order and showed it.
    case taken(BrokerOrder)
    /// The broker refused it; nothing was placed.
    case refused(BrokerError)
    /// The broker has an order under our id already, so one of ours exists.
    case exists(BrokerError)
    /// No byte of the request was written.
    case notSent(reason: String)
    /// The request was or may have been written and no readable answer came: the order may exist.
    case lost(reason: String)
}

/// An error answer of the broker.
package struct BrokerError: Equatable, Sendable {
    /// The broker's own number, such as 40310000; not every answer has one.
    package var code: Int64?
    package var message: String
    /// The whole answer where it says more than its message: the code above all.
    package var details: String?

    package init(code: Int64? = nil, message: String, details: String? = nil) {
        self.code = code
        self.message = message
        self.details = details
    }
}
