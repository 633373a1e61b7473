/// The one attempt to place a decision at the broker, and what became of the order. All that happens to it happens in
/// the functions of this file, and only forwards: what has ended stays ended, and no fill is ever taken back.
package struct Execution: Equatable, Sendable {
    /// A UUID.
    package let id: String
    package let clientOrderID: ClientOrderID
    package private(set) var status: ExecutionStatus = .submitted
    package private(set) var certainty: Certainty = .sending
    package private(set) var decisionStatus: DecisionStatus = .executing
    /// Why the decision failed, as a stable word for what is ours and the broker's message for what is the broker's.
    package private(set) var reason: String?
    /// The id of the order that was placed.
    package private(set) var alpacaOrderID: String?
    /// The id of the order that is followed: the placed one, or the last of those that replaced it.
    package private(set) var followedOrderID: String?
    /// The broker's own word for the followed order's state.
    package private(set) var orderStatus: OrderStatus?
    package private(set) var httpStatusCode: Int?
    package private(set) var errorMessage: String?
    package private(set) var errorDetails: String?
    /// How it became known what had come of a lost attempt; nil while it is not, and for attempts that were not lost.
    package private(set) var resolution: Resolution?
    /// Whether the broker answered the attempt by saying that it has an order under our id.
    package private(set) var brokerKnowsID = false
    /// Over the placed order and all that replaced it. Nil while nothing is known of an order.
    package private(set) var filledQuantity: ExactDecimal?
    /// Nil also when several orders of a replacement chain have fills: their average is not exact, and each order's own
    /// is in `alpaca_orders`.
    package private(set) var filledAveragePrice: ExactDecimal?
    package private(set) var commission: ExactDecimal?
    /// When the attempt began.
    package let submittedAt: Timestamp
    package private(set) var filledAt: Timestamp?
    package private(set) var rejectedAt: Timestamp?
    /// What the orders that were replaced had filled.
    package private(set) var filledBeforeReplacement: ExactDecimal = .zero
    /// Whether exits that hang on the order live on after it has ended. They are recorded until they end, and change
    /// nothing here.
    package private(set) var hasLivingLegs = false
    /// The broker's `updated_at` of the newest state taken; what is older is not looked at.
    package private(set) var orderUpdatedAt: Timestamp?

    /// An attempt that is about to begin.
    package init(id: String, clientOrderID: ClientOrderID, submittedAt: Timestamp) {
        self.id = id
        self.clientOrderID = clientOrderID
        self.submittedAt = submittedAt
    }

    /// An attempt as the database holds it.
    package init(
        id: String, clientOrderID: ClientOrderID, status: ExecutionStatus, certainty: Certainty,
        decisionStatus: DecisionStatus, reason: String?, alpacaOrderID: String?, followedOrderID: String?,
        orderStatus: OrderStatus?, httpStatusCode: Int?, errorMessage: String?, errorDetails: String?,
        resolution: Resolution?, brokerKnowsID: Bool, filledQuantity: ExactDecimal?,
        filledAveragePrice: ExactDecimal?, commission: ExactDecimal?, submittedAt: Timestamp, filledAt: Timestamp?,
        rejectedAt: Timestamp?,
        filledBeforeReplacement: ExactDecimal, hasLivingLegs: Bool, orderUpdatedAt: Timestamp?
    ) {
        self.id = id
        self.clientOrderID = clientOrderID
        self.status = status
        self.certainty = certainty
        self.decisionStatus = decisionStatus
        self.reason = reason
        self.alpacaOrderID = alpacaOrderID
        self.followedOrderID = followedOrderID
        self.orderStatus = orderStatus
        self.httpStatusCode = httpStatusCode
        self.errorMessage = errorMessage
        self.errorDetails = errorDetails
        self.resolution = resolution
        self.brokerKnowsID = brokerKnowsID
        self.filledQuantity = filledQuantity
        self.filledAveragePrice = filledAveragePrice
        self.commission = commission
        self.submittedAt = submittedAt
        self.filledAt = filledAt
        self.rejectedAt = rejectedAt
        self.filledBeforeReplacement = filledBeforeReplacement
        self.hasLivingLegs = hasLivingLegs
        self.orderUpdatedAt = orderUpdatedAt
    }

    package var result: OutcomeResult {
        switch decisionStatus {
        case .pending, .executing: certainty == .unknown || certainty == .sending ? .unknown : .pending
        case .executed: status == .filled ? .success : .partial
        case .failed: .failed
        }
    }

    // MARK: The attempt ends

    /// The attempt has ended as `result` says.
    /// - Parameters:
    ///   - httpStatusCode: Of the answer; nil where none came.
    ///   - terms: What the decision asked for.
    ///   - time: Now.
    package mutating func end(
        _ result: AttemptResult, httpStatusCode: Int?, terms: OrderTerms, at time: Timestamp
    ) {
        precondition(certainty == .sending, "an attempt ends once")
        self.httpStatusCode = httpStatusCode
        switch result {
        case .taken(let order):
            certainty = .answered
            let order = order.asGiven(by: terms)
            take(order, status: OrderStatus.executionStatus(ofAnswerToPost: order.status), at: time)
        case .refused(let error):
            certainty = .answered
            fail(reason: error.message, at: time)
            errorMessage = error.message
            errorDetails = error.details
        case .exists(let error):
            certainty = .unknown
            brokerKnowsID = true
            errorMessage = error.message
            errorDetails = error.details
        case .notSent(let reason):
            certainty = .notSent
            // The original design's pseudo-response for an attempt that never got out.
            self.httpStatusCode = 500
            fail(reason: reason, at: time)
            errorMessage = reason
        case .lost(let reason):
            certainty = .unknown
            errorMessage = reason
        }
    }

    /// The process died between the durable intent and the durable answer: the request may have left.
    package mutating func findAfterRestart() {
        precondition(certainty == .sending, "only an attempt under way can be found so")
        certainty = .unknown
        errorMessage = "the worker stopped during the attempt, so its answer was lost"
    }

    // MARK: Look-ups

    /// A look-up shows the order. Says whether anything about it is new; what is older than what we know never is.
    package mutating func observe(_ order: BrokerOrder, terms: OrderTerms, at time: Timestamp) -> Bool {
        guard !decisionStatus.isFinal, certainty != .sending else { return false }
        let order = order.asGiven(by: terms)
        if certainty != .answered {
            guard order.clientOrderID == clientOrderID.text else { return false }
            guard order.couldBe(terms) else {
                takeForForeign(order, at: time)
                return true
            }
            certainty = .answered
            resolution = brokerKnowsID ? .adopted : .found
            errorMessage = nil
            errorDetails = nil
            take(order, status: order.status.executionStatusOfLookUp, at: time)
            return true
        }
        guard order.id == followedOrderID else { return false }
        let filledSoFar = filledBeforeReplacement + (order.filledQuantity ?? filledByFollowedOrder)
        if let known = filledQuantity, filledSoFar < known { return false }
        if orderStatus?.isEnd == true, !order.status.isEnd { return false }
        // An end and a fill are further on by their nature, whatever the broker's clock said when.
        let isFurther = order.status.isEnd || filledQuantity.map { $0 < filledSoFar } ?? true
        if !isFurther, let known = orderUpdatedAt, let seen = order.updatedAt, seen < known { return false }
        let before = self
        take(order, status: order.status.executionStatusOfLookUp, at: time)
        return self.differsVisibly(from: before)
    }

    /// A look-up of an order that has ended shows how its legs are. Says whether it does.
    package mutating func noteLegs(of order: BrokerOrder) -> Bool {
        guard decisionStatus.isFinal, hasLivingLegs, order.id == followedOrderID, !order.legs.isEmpty else {
            return false
        }
        hasLivingLegs = order.legs.contains { !$0.status.isEnd }
        return true
    }

    /// The broker shows no legs any more.
    package mutating func giveUpLegs() { hasLivingLegs = false }

    /// Before anything was sent, a look-up shows that the broker has an order of this decision: a worker whose database
    /// knew more than this one placed it. Says whether it is ours; where it is not, nothing changes.
    package mutating func adopt(_ order: BrokerOrder, terms: OrderTerms, at time: Timestamp) -> Bool {
        precondition(certainty == .sending, "nothing is known yet of an attempt that adopts an order")
        let order = order.asGiven(by: terms)
        guard order.clientOrderID == clientOrderID.text, order.couldBe(terms) else { return false }
        certainty = .answered
        resolution = .adopted
        take(order, status: order.status.executionStatusOfLookUp, at: time)
        return true
    }

    /// Whether look-ups that show no order can prove that there is none. Not where the broker itself has said that there
    /// is one.
    package var canBeProvenAbsent: Bool { certainty == .unknown && !brokerKnowsID }

    /// Look-ups over the whole settle time found no order under our id: the attempt placed nothing.
    package mutating func proveAbsent(at time: Timestamp) {
        precondition(canBeProvenAbsent, "only an unknown attempt can be proven absent")
        certainty = .answered
        resolution = .absent
        let message = "the broker has no order under \(clientOrderID), asked several times over the settle time"
        if let errorMessage { errorDetails = errorMessage }
        errorMessage = message
        fail(reason: "absent", at: time)
    }

    private mutating func take(_ order: BrokerOrder, status: ExecutionStatus, at time: Timestamp) {
        if alpacaOrderID == nil { alpacaOrderID = order.id }
        followedOrderID = order.id
        orderStatus = order.status
        orderUpdatedAt = [order.updatedAt, orderUpdatedAt].compactMap { $0 }.max()
        let filledHere = order.filledQuantity ?? filledByFollowedOrder
        filledQuantity = filledBeforeReplacement + filledHere
        if filledBeforeReplacement.isZero {
            filledAveragePrice = order.filledAveragePrice ?? filledAveragePrice
        } else if !filledHere.isZero {
            filledAveragePrice = nil
        }
        commission = order.commissionOfFirstLegOrOrder
        hasLivingLegs = order.status != .replaced && order.legs.contains { !$0.status.isEnd }
        self.status = status

        // A chain that comes back to its beginning would be counted again and again.
        if order.status == .replaced, let successor = order.replacedBy, ![order.id, alpacaOrderID].contains(successor) {
            filledBeforeReplacement = filledBeforeReplacement + filledHere
            followedOrderID = successor
            orderUpdatedAt = nil
            orderStatus = nil
            return
        }
        // `submitted` is no end: the design's mapping has no word for a POST answered with `expired`, nor anything for an
        // order replaced by one that the answer does not name. The next look-up says more.
        guard order.status.isEnd, status != .submitted else { return }
        let anyFilled = filledQuantity.map { !$0.isZero } ?? false
        if order.status == .filled {
            decisionStatus = .executed
            filledAt = order.filledAt ?? time
        } else if anyFilled {
            decisionStatus = .executed
            filledAt = order.filledAt
        } else {
            decisionStatus = .failed
            reason = "order \(order.status.text)"
        }
        if status == .rejected {
            rejectedAt = order.failedAt ?? time
            if errorMessage == nil { errorMessage = "the broker ended the order as \(order.status.text)" }
        }
    }

    /// What the followed order itself is known to have filled. It stands in where an answer leaves the quantity out, as
    /// the broker has been seen to do for a rejected order.
    private var filledByFollowedOrder: ExactDecimal {
        (filledQuantity ?? filledBeforeReplacement) - filledBeforeReplacement
    }

    /// An order under our id that is not what the decision asked for: somebody else used the id. Ours was never taken,
    /// since the broker takes an id once.
    private mutating func takeForForeign(_ order: BrokerOrder, at time: Timestamp) {
        certainty = .answered
        resolution = .taken
        let message = "the broker holds another order under \(clientOrderID): \(order.describedBriefly)"
        if let errorMessage { errorDetails = errorMessage }
        errorMessage = message
        fail(reason: "client_order_id_taken", at: time)
    }

    private mutating func fail(reason: String, at time: Timestamp) {
        status = .rejected
        decisionStatus = .failed
        rejectedAt = time
        commission = .zero
        self.reason = reason
    }

    /// Whether anything that an outcome shows is different.
    private func differsVisibly(from other: Execution) -> Bool {
        var left = self
        var right = other
        left.orderUpdatedAt = nil
        right.orderUpdatedAt = nil
        right.hasLivingLegs = left.hasLivingLegs
        return left != right
    }
}

extension BrokerOrder {
    fileprivate var describedBriefly: String {
        let amount = quantity?.text ?? notional.map { "\($0.text) dollars of" } ?? "?"
        return "\(id), \(side ?? "?") \(amount) \(symbol ?? "?"), \(status.text)"
    }
}
