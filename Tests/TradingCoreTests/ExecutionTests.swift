import Testing
import TradingCore

@Suite("An attempt that ends")
struct AttemptEndTests {
    @Test(
        "with an order takes its status as the original design maps it, and ends only where the order has ended",
        arguments: [
            ("new", "submitted answered executing pending 0"),
            ("pending_new", "submitted answered executing pending 0"),
            ("accepted", "accepted answered executing pending 0"),
            ("pending_replace", "accepted answered executing pending 0"),
            ("partially_filled", "partial_fill answered executing pending 0"),
            ("filled", "filled answered executed success 0"), ("rejected", "rejected answered failed failed 0"),
            ("canceled", "rejected answered failed failed 0"), ("expired", "submitted answered executing pending 0"),
            ("replaced", "submitted answered executing pending 0"),
            ("done_for_day", "submitted answered executing pending 0"),
            ("held", "submitted answered executing pending 0"),
            ("pending_cancel", "submitted answered executing pending 0"),
            ("suspended", "submitted answered executing pending 0"),
            ("a_word_of_tomorrow", "submitted answered executing pending 0"),
            ("Filled", "submitted answered executing pending 0"),
        ])
    func taken(_ status: String, _ line: String) throws {
        var execution = try attempt()
        try execution.end(order(status))
        #expect(execution.line == line)
        #expect(execution.orderStatus?.text == status)
        #expect(execution.alpacaOrderID == "order-1")
        #expect(execution.followedOrderID == "order-1")
        #expect(execution.httpStatusCode == 200)
        #expect(execution.commission?.text == "0")
        #expect((execution.rejectedAt != nil) == (execution.status == .rejected))
        #expect((execution.filledAt != nil) == (execution.status == .filled))
    }

    @Test("filled at once, as in the original design's example, executes the decision")
    func filledAtOnce() throws {
        var execution = try attempt()
        var filled = try order("filled", filled: "100", at: "150.25")
        filled.filledAt = at(-3)
        try execution.end(filled)
        #expect(execution.line == "filled answered executed success 100@150.25")
        #expect(execution.filledAt == at(-3))
        #expect(execution.reason == nil)
        #expect(execution.errorMessage == nil)
    }

    @Test("with fills executes the decision even where the order was canceled")
    func canceledWithFills() throws {
        var execution = try attempt()
        try execution.end(order("canceled", filled: "40", at: "150"))
        #expect(execution.line == "rejected answered executed partial 40@150")
    }

    @Test("expired is told by the look-up that follows, for the design's mapping has no word for it")
    func expiredAtOnce() throws {
        var execution = try attempt()
        try execution.end(order("expired", filled: "40", at: "150"))
        #expect(
            try execution.look(order("expired", filled: "40", at: "150"))
                == "cancelled answered executed partial 40@150")
    }

    @Test(
        "with a refusal keeps message, details and HTTP status, and is final",
        arguments: [400, 401, 403, 404, 422, 429])
    func refused(_ code: Int) throws {
        var execution = try attempt()
        let error = BrokerError(code: 40_310_000, message: "insufficient buying power", details: "{\"code\":40310000}")
        execution.end(.refused(error), httpStatusCode: code, terms: try decision().order, at: at(1))
        #expect(execution.line == "rejected answered failed failed")
        #expect(execution.errorMessage == "insufficient buying power")
        #expect(execution.errorDetails == "{\"code\":40310000}")
        #expect(execution.reason == "insufficient buying power")
        #expect(execution.httpStatusCode == code)
        #expect(execution.rejectedAt == at(1))
        #expect(execution.commission?.text == "0")
        #expect(execution.alpacaOrderID == nil)
    }

    @Test("with our id taken already knows nothing yet, since an order of ours exists")
    func exists() throws {
        var execution = try attempt()
        execution.end(
            .exists(BrokerError(code: 40_010_001, message: "client_order_id must be unique")), httpStatusCode: 422,
            terms: try decision().order, at: at(1))
        #expect(execution.line == "submitted unknown executing unknown")
        #expect(execution.errorMessage == "client_order_id must be unique")
        #expect(execution.reason == nil)
        #expect(execution.rejectedAt == nil)
    }

    @Test("without a byte sent is rejected, with the status of the design's pseudo-response")
    func notSent() throws {
        var execution = try attempt()
        execution.end(
            .notSent(reason: "connection refused"), httpStatusCode: nil, terms: try decision().order, at: at(1))
        #expect(execution.line == "rejected not_sent failed failed")
        #expect(execution.httpStatusCode == 500)
        #expect(execution.errorMessage == "connection refused")
        #expect(execution.rejectedAt == at(1))
    }

    @Test("without a readable answer is never called rejected", arguments: [nil, 200, 302, 500, 502, 503, 504])
    func lost(_ code: Int?) throws {
        var execution = try attempt()
        execution.end(.lost(reason: "timed out"), httpStatusCode: code, terms: try decision().order, at: at(1))
        #expect(execution.line == "submitted unknown executing unknown")
        #expect(execution.httpStatusCode == code)
        #expect(execution.errorMessage == "timed out")
        #expect(execution.rejectedAt == nil)
    }

    @Test("by a crash is found after the restart as unknown")
    func crashed() throws {
        var execution = try attempt()
        #expect(execution.line == "submitted sending executing unknown")
        execution.findAfterRestart()
        #expect(execution.line == "submitted unknown executing unknown")
        #expect(execution.errorMessage?.contains("stopped") == true)
    }

    @Test("takes the first leg's commission, else the order's, else none")
    func commission() throws {
        var leg = try order("new", id: "leg")
        leg.commission = try decimal("0.25")
        var whole = try order("new")
        whole.commission = try decimal("1.10")
        #expect(whole.commissionOfFirstLegOrOrder.text == "1.10")
        whole.legs = [leg, try order("new")]
        #expect(whole.commissionOfFirstLegOrOrder.text == "0.25")
        #expect(try order("new").commissionOfFirstLegOrOrder.text == "0")
        var execution = try attempt()
        try execution.end(whole)
        #expect(execution.commission?.text == "0.25")
    }
}

@Suite("The broker's status of an order")
struct OrderStatusTests {
    @Test(
        "in a look-up maps like the answer to a POST, but for the orders that lived and ended",
        arguments: [
            ("new", .submitted), ("pending_new", .submitted), ("accepted", .accepted), ("pending_replace", .accepted),
            ("filled", .filled), ("rejected", .rejected), ("canceled", .cancelled), ("expired", .cancelled),
            ("partially_filled", .partialFill), ("replaced", .submitted), ("done_for_day", .submitted),
            ("held", .submitted), ("stopped", .submitted), ("calculated", .submitted), ("suspended", .submitted),
            ("accepted_for_bidding", .submitted), ("pending_cancel", .submitted), ("pending_review", .submitted),
            ("a_word_of_tomorrow", .submitted),
        ] as [(String, ExecutionStatus)])
    func lookUp(_ text: String, _ status: ExecutionStatus) {
        #expect(OrderStatus(text).executionStatusOfLookUp == status)
    }

    @Test("none, empty or error in the answer to a POST is rejected, as in the original design")
    func noStatus() {
        #expect(OrderStatus.executionStatus(ofAnswerToPost: nil) == .rejected)
        #expect(OrderStatus.executionStatus(ofAnswerToPost: OrderStatus("")) == .rejected)
        #expect(OrderStatus.executionStatus(ofAnswerToPost: OrderStatus("error")) == .rejected)
    }

    @Test(
        "is an end for five words only",
        arguments: [
            ("filled", true), ("canceled", true), ("expired", true), ("rejected", true), ("replaced", true),
            ("done_for_day", false), ("pending_cancel", false), ("partially_filled", false), ("held", false),
            ("a_word_of_tomorrow", false),
        ])
    func ends(_ text: String, _ isEnd: Bool) {
        #expect(OrderStatus(text).isEnd == isEnd)
    }
}

@Suite("An order that is followed")
struct FollowingTests {
    private func begun() throws -> Execution {
        var execution = try attempt()
        try execution.end(order("pending_new", updated: 1))
        return execution
    }

    @Test("goes from new over part fills to filled, with an outcome for every change and none for the same again")
    func filled() throws {
        var execution = try begun()
        let trail = try [
            order("pending_new", updated: 1), order("new", updated: 2), order("new", updated: 2),
            order("new", updated: 3), order("partially_filled", filled: "40", at: "150", updated: 4),
            order("partially_filled", filled: "60", at: "150.1", updated: 5),
            order("filled", filled: "100", at: "150.25", updated: 6),
            order("filled", filled: "100", at: "150.25", updated: 6),
        ].map { try execution.look($0) }
        #expect(
            trail == [
                nil, "submitted answered executing pending 0", nil, nil,
                "partial_fill answered executing pending 40@150", "partial_fill answered executing pending 60@150.1",
                "filled answered executed success 100@150.25", nil,
            ])
        #expect(execution.reason == nil)
        #expect(execution.rejectedAt == nil)
    }

    @Test(
        "that ends with nothing filled fails the decision",
        arguments: [
            ("canceled", "cancelled answered failed failed 0"), ("expired", "cancelled answered failed failed 0"),
            ("rejected", "rejected answered failed failed 0"),
        ])
    func endedEmpty(_ status: String, _ line: String) throws {
        var execution = try begun()
        #expect(try execution.look(order(status, updated: 9)) == line)
        #expect(execution.reason == "order \(status)")
        #expect((execution.rejectedAt != nil) == (status == "rejected"))
    }

    @Test(
        "that ends partly filled keeps its fills and executes the decision",
        arguments: [
            ("canceled", "cancelled answered executed partial 40@150"),
            ("expired", "cancelled answered executed partial 40@150"),
            ("rejected", "rejected answered executed partial 40@150"),
        ])
    func endedInPart(_ status: String, _ line: String) throws {
        var execution = try begun()
        _ = try execution.look(order("partially_filled", filled: "40", at: "150", updated: 2))
        #expect(try execution.look(order(status, filled: "40", at: "150", updated: 3)) == line)
        #expect(execution.reason == nil)
    }

    @Test("that is rejected seconds after the broker took it is rejected, with the broker's time")
    func rejectedLate() throws {
        var execution = try begun()
        var rejected = try order("rejected", filled: nil, updated: 4)
        rejected.failedAt = at(3)
        #expect(try execution.look(rejected) == "rejected answered failed failed 0")
        #expect(execution.rejectedAt == at(3))
        #expect(execution.errorMessage == "the broker ended the order as rejected")
        #expect(execution.httpStatusCode == 200)
    }

    @Test("is not changed by an older look-up that comes after a newer one")
    func older() throws {
        var execution = try begun()
        _ = try execution.look(order("partially_filled", filled: "40", at: "150", updated: 5))
        #expect(try execution.look(order("new", filled: "0", updated: 4)) == nil)
        #expect(try execution.look(order("pending_replace", filled: "40", at: "150", updated: 4)) == nil)
        #expect(try execution.look(order("new", filled: "40", at: "150", updated: 5)) != nil)
    }

    @Test("takes an end, or a further fill, whatever the broker's clock said when")
    func furtherThoughOlder() throws {
        var execution = try begun()
        _ = try execution.look(order("partially_filled", filled: "40", at: "150", updated: 5))
        #expect(
            try execution.look(order("partially_filled", filled: "60", at: "150", updated: 4))
                == "partial_fill answered executing pending 60@150")
        #expect(
            try execution.look(order("canceled", filled: "60", at: "150", updated: 4))
                == "cancelled answered executed partial 60@150")
    }

    @Test("never loses a fill, whatever a look-up without a time says")
    func neverShrinks() throws {
        var execution = try begun()
        _ = try execution.look(order("partially_filled", filled: "40", at: "150"))
        #expect(try execution.look(order("partially_filled", filled: "39.5", at: "150")) == nil)
        #expect(try execution.look(order("new", filled: "0")) == nil)
        #expect(execution.filledQuantity?.text == "40")
    }

    @Test("keeps its fills where an answer leaves the quantity out, and still sees its end")
    func quantityLeftOut() throws {
        var execution = try begun()
        _ = try execution.look(order("partially_filled", filled: "40", at: "150", updated: 2))
        #expect(
            try execution.look(order("canceled", filled: nil, updated: 3))
                == "cancelled answered executed partial 40@150")
    }

    @Test("stays ended, whatever comes later", arguments: ["filled", "canceled", "rejected"])
    func staysEnded(_ end: String) throws {
        var execution = try begun()
        _ = try execution.look(order(end, filled: "100", at: "150", updated: 5))
        let line = execution.line
        for later in ["new", "partially_filled", "filled", "canceled", "rejected", "replaced"] {
            #expect(try execution.look(order(later, filled: "100", at: "1", updated: 9, replacedBy: "x")) == nil)
        }
        #expect(execution.line == line)
    }

    @Test("is not changed by another order")
    func otherOrder() throws {
        var execution = try begun()
        #expect(try execution.look(order("filled", id: "order-2", filled: "100", updated: 9)) == nil)
    }

    @Test("may take on a status that nobody knows yet, and goes on")
    func unknownStatus() throws {
        var execution = try begun()
        #expect(
            try execution.look(order("pending_quantum_review", updated: 2)) == "submitted answered executing pending 0")
        #expect(execution.orderStatus?.text == "pending_quantum_review")
        #expect(
            try execution.look(order("filled", filled: "100", at: "1", updated: 3))
                == "filled answered executed success 100@1")
    }

    @Test("tells a change of the broker's word even where ours stays the same")
    func rawStatus() throws {
        var execution = try begun()
        #expect(try execution.look(order("held", updated: 2)) == "submitted answered executing pending 0")
        #expect(try execution.look(order("done_for_day", updated: 3)) == "submitted answered executing pending 0")
    }

    @Test("that is still under way in the database goes on from there")
    func fromDatabase() throws {
        var known = try begun()
        _ = try known.look(order("partially_filled", filled: "40", at: "150", updated: 5))
        var execution = Execution(
            id: known.id, clientOrderID: known.clientOrderID, status: known.status, certainty: known.certainty,
            decisionStatus: known.decisionStatus, reason: known.reason, alpacaOrderID: known.alpacaOrderID,
            followedOrderID: known.followedOrderID, orderStatus: known.orderStatus,
            httpStatusCode: known.httpStatusCode, errorMessage: known.errorMessage, errorDetails: known.errorDetails,
            resolution: known.resolution, brokerKnowsID: known.brokerKnowsID, filledQuantity: known.filledQuantity,
            filledAveragePrice: known.filledAveragePrice,
            commission: known.commission, submittedAt: known.submittedAt, filledAt: known.filledAt,
            rejectedAt: known.rejectedAt, filledBeforeReplacement: known.filledBeforeReplacement,
            hasLivingLegs: known.hasLivingLegs,
            orderUpdatedAt: known.orderUpdatedAt)
        #expect(execution == known)
        #expect(try execution.look(order("new", updated: 4)) == nil)
        #expect(
            try execution.look(order("filled", filled: "100", at: "151", updated: 6))
                == "filled answered executed success 100@151")
    }
}

@Suite("An order that is replaced")
struct ReplacementTests {
    private func begun() throws -> Execution {
        var execution = try attempt()
        try execution.end(order("new", updated: 1))
        return execution
    }

    @Test("is followed over a chain of two, and the fills of all count")
    func chain() throws {
        var execution = try begun()
        let trail = try [
            order("replaced", id: "order-1", filled: "10", at: "150", updated: 2, replacedBy: "order-2"),
            order("replaced", id: "order-1", filled: "10", at: "150", updated: 2, replacedBy: "order-2"),
            order("new", id: "order-2", filled: "0", updated: 1),
            order("replaced", id: "order-2", filled: "20.5", at: "151", updated: 3, replacedBy: "order-3"),
            order("filled", id: "order-2", filled: "99", at: "151", updated: 9),
            order("accepted", id: "order-3", filled: "0", updated: 4),
            order("canceled", id: "order-3", filled: "30", at: "152", updated: 5),
        ].map { try execution.look($0) }
        #expect(
            trail == [
                "submitted answered executing pending 10@150", nil, "submitted answered executing pending 10@150",
                "submitted answered executing pending 30.5", nil, "accepted answered executing pending 30.5",
                "cancelled answered executed partial 60.5",
            ])
        #expect(execution.alpacaOrderID == "order-1")
        #expect(execution.followedOrderID == "order-3")
    }

    @Test("keeps the one average price there is, where its successor fills nothing")
    func priceKept() throws {
        var execution = try begun()
        _ = try execution.look(order("replaced", filled: "10", at: "150", replacedBy: "order-2"))
        #expect(
            try execution.look(order("canceled", id: "order-2", filled: "0"))
                == "cancelled answered executed partial 10@150")
    }

    @Test("takes the successor's average price where it filled nothing itself")
    func priceOfSuccessor() throws {
        var execution = try begun()
        _ = try execution.look(order("replaced", filled: "0", replacedBy: "order-2"))
        #expect(
            try execution.look(order("filled", id: "order-2", filled: "80", at: "149.5"))
                == "filled answered executed success 80@149.5")
    }

    @Test("at once, in the answer to the POST, is followed too")
    func atOnce() throws {
        var execution = try attempt()
        try execution.end(order("replaced", filled: "0", replacedBy: "order-2"))
        #expect(execution.followedOrderID == "order-2")
        #expect(
            try execution.look(order("filled", id: "order-2", filled: "100", at: "1"))
                == "filled answered executed success 100@1")
    }

    @Test("in a circle has its fills counted once")
    func circle() throws {
        var execution = try begun()
        _ = try execution.look(order("replaced", filled: "10", at: "150", updated: 2, replacedBy: "order-2"))
        for second: Int64 in 3...6 {
            _ = try execution.look(
                order("replaced", id: "order-2", filled: "5", at: "150", updated: second, replacedBy: "order-1"))
        }
        #expect(execution.filledQuantity?.text == "15")
        #expect(execution.followedOrderID == "order-2")
        #expect(execution.decisionStatus == .executing)
    }

    @Test("by an order that is not named yet is no failure", arguments: [nil, "order-1"])
    func unnamed(_ successor: String?) throws {
        var execution = try begun()
        let replaced = try order("replaced", filled: "10", at: "150", updated: 2, replacedBy: successor)
        #expect(try execution.look(replaced) == "submitted answered executing pending 10@150")
        #expect(try execution.look(replaced) == nil)
        #expect(
            try execution.look(order("replaced", filled: "10", at: "150", updated: 2, replacedBy: "order-2")) != nil)
        #expect(
            try execution.look(order("filled", id: "order-2", filled: "90", at: "151"))
                == "filled answered executed success 100")
    }
}

@Suite("An attempt whose answer was lost")
struct LostAnswerTests {
    private func lost() throws -> Execution {
        var execution = try attempt()
        execution.end(.lost(reason: "timed out"), httpStatusCode: nil, terms: try decision().order, at: at(1))
        return execution
    }

    @Test(
        "is adopted when its order is found under our id",
        arguments: [
            ("new", "0", "submitted answered executing pending 0"),
            ("accepted", "0", "accepted answered executing pending 0"),
            ("partially_filled", "40", "partial_fill answered executing pending 40"),
            ("filled", "100", "filled answered executed success 100"),
            ("canceled", "0", "cancelled answered failed failed 0"),
            ("expired", "40", "cancelled answered executed partial 40"),
            ("rejected", "0", "rejected answered failed failed 0"),
        ])
    func adopted(_ status: String, _ filled: String, _ line: String) throws {
        var execution = try lost()
        #expect(try execution.look(order(status, filled: filled)) == line)
        #expect(execution.alpacaOrderID == "order-1")
        #expect(execution.errorMessage == (status == "rejected" ? "the broker ended the order as rejected" : nil))
    }

    @Test("is adopted after a restart and after a refusal of a second order under our id")
    func otherWays() throws {
        var crashed = try attempt()
        crashed.findAfterRestart()
        #expect(try crashed.look(order("new")) == "submitted answered executing pending 0")
        var duplicate = try attempt()
        duplicate.end(
            .exists(BrokerError(message: "client_order_id must be unique")), httpStatusCode: 422,
            terms: try decision().order, at: at(1))
        #expect(try duplicate.look(order("filled", filled: "100")) == "filled answered executed success 100")
        #expect(crashed.resolution == .found)
        #expect(duplicate.resolution == .adopted)
    }

    @Test("can be proven absent, but not when the broker itself has said that the order exists")
    func provability() throws {
        #expect(try lost().canBeProvenAbsent)
        var duplicate = try attempt()
        duplicate.end(
            .exists(BrokerError(message: "client_order_id must be unique")), httpStatusCode: 422,
            terms: try decision().order, at: at(1))
        #expect(!duplicate.canBeProvenAbsent)
    }

    @Test("or that never began here takes over the order that another worker placed, unless it is another's")
    func placedBefore() throws {
        var execution = try attempt()
        let terms = try decision().order
        var other = try order("filled", filled: "100", at: "150")
        other.side = "sell"
        let isTakenForOurs = execution.adopt(other, terms: terms, at: at(2))
        #expect(!isTakenForOurs)
        #expect(execution == (try attempt()))
        let isTaken = execution.adopt(
            try order("partially_filled", filled: "40", at: "150"), terms: terms, at: at(2))
        #expect(isTaken)
        #expect(execution.line == "partial_fill answered executing pending 40@150")
        #expect(execution.resolution == .adopted)
    }

    @Test("is not adopted from an order under another id, even one that looks the same")
    func otherID() throws {
        var execution = try lost()
        var other = try order("filled", filled: "100")
        other.clientOrderID = "mean-rev:d-18"
        #expect(try execution.look(other) == nil)
        #expect(execution.line == "submitted unknown executing unknown")
    }

    @Test(
        "fails when the order under our id is plainly another one",
        arguments: ["symbol", "side", "quantity", "notional"])
    func foreign(_ difference: String) throws {
        var execution = try lost()
        var other = try order("filled", filled: "100", at: "1")
        switch difference {
        case "symbol": other.symbol = "MSFT"
        case "side": other.side = "sell"
        case "quantity": other.quantity = try decimal("100.5")
        default: (other.quantity, other.notional) = (nil, try decimal("100"))
        }
        #expect(try execution.look(other) == "rejected answered failed failed")
        #expect(execution.reason == "client_order_id_taken")
        #expect(execution.resolution == .taken)
        #expect(execution.errorMessage?.contains("order-1") == true)
        #expect(execution.errorDetails == "timed out")
        #expect(execution.alpacaOrderID == nil)
    }

    @Test("is proven absent only by being told so, and then is rejected")
    func absent() throws {
        var execution = try lost()
        execution.proveAbsent(at: at(60))
        #expect(execution.line == "rejected answered failed failed")
        #expect(execution.reason == "absent")
        #expect(execution.resolution == .absent)
        #expect(execution.rejectedAt == at(60))
        #expect(execution.errorDetails == "timed out")
        #expect(execution.errorMessage?.contains("mean-rev:d-17") == true)
        #expect(try execution.look(order("filled", filled: "100")) == nil)
    }

    @Test("is not touched by a look-up while it is still under way")
    func underWay() throws {
        var execution = try attempt()
        #expect(try execution.look(order("filled", filled: "100")) == nil)
        #expect(execution.line == "submitted sending executing unknown")
    }
}

@Suite("An order found under our id")
struct CouldBeTests {
    private func terms(_ amount: Amount, symbol: String = "AAPL", side: Side = .buy) -> OrderTerms {
        OrderTerms(symbol: Symbol(symbol), side: side, amount: amount)
    }

    private func shown(
        _ symbol: String?, side: String? = "buy", quantity: String? = nil, notional: String? = nil
    ) throws -> BrokerOrder {
        BrokerOrder(
            id: "o", clientOrderID: "c", status: OrderStatus("new"), symbol: symbol, side: side,
            quantity: try quantity.map(decimal), notional: try notional.map(decimal))
    }

    @Test(
        "could be ours in every way that the broker writes a symbol",
        arguments: [
            ("BTC/USD", "BTC/USD"), ("BTC/USD", "BTCUSD"), ("BTCUSD", "BTC/USD"), ("aapl", "AAPL"),
            ("BRK.B", "BRK.B"), ("AAPL", nil),
        ])
    func symbols(_ asked: String, _ shownSymbol: String?) throws {
        #expect(try shown(shownSymbol, quantity: "1").couldBe(terms(quantity("1"), symbol: asked)))
    }

    @Test("could be ours where the amounts are equal, however they are written")
    func amounts() throws {
        #expect(try shown("AAPL", quantity: "1").couldBe(terms(quantity("1.000"))))
        #expect(try shown("AAPL", notional: "400").couldBe(terms(notional("400.00"))))
        #expect(try shown("AAPL").couldBe(terms(notional("400.00"))))
        #expect(try shown("AAPL").couldBe(terms(quantity("1"))))
    }

    @Test(
        "could be ours where the side is not shown, or in a word that we do not know", arguments: [nil, "sell_short"])
    func sides(_ side: String?) throws {
        #expect(try shown("AAPL", side: side, quantity: "1").couldBe(terms(quantity("1"), side: .sell)))
    }

    @Test("could not be ours where it contradicts")
    func contradictions() throws {
        #expect(try !shown("ETHUSD", quantity: "1").couldBe(terms(quantity("1"), symbol: "BTC/USD")))
        #expect(try !shown("AAPL", side: "sell", quantity: "1").couldBe(terms(quantity("1"))))
        #expect(try !shown("AAPL", quantity: "2").couldBe(terms(quantity("1"))))
        #expect(try !shown("AAPL", notional: "1").couldBe(terms(quantity("1"))))
        #expect(try !shown("AAPL", quantity: "1").couldBe(terms(notional("1"))))
    }

    @Test("could be ours for a multi-leg order, whose parent shows neither symbol nor side")
    func multiLeg() throws {
        let terms = OrderTerms(symbol: nil, side: nil, amount: try quantity("1"), orderClass: .multiLeg)
        #expect(try shown(nil, side: nil, quantity: "1").couldBe(terms))
        #expect(try !shown(nil, side: nil, quantity: "2").couldBe(terms))
    }
}

@Suite("An order of two exits, one cancelling the other")
struct OneCancelsOtherTests {
    private func terms() throws -> OrderTerms {
        OrderTerms(
            symbol: Symbol("AAPL"), side: .sell, amount: try quantity("100"), type: .limit,
            orderClass: .oneCancelsOther, takeProfit: TakeProfit(limitPrice: Price(try decimal("160"))),
            stopLoss: StopLoss(stopPrice: Price(try decimal("140"))))
    }

    private func exits(_ takeProfit: BrokerOrder, _ stopLoss: BrokerOrder) -> BrokerOrder {
        var order = takeProfit
        order.side = "sell"
        order.legs = [stopLoss]
        return order
    }

    private func trail(_ orders: [BrokerOrder]) throws -> [String?] {
        var execution = try attempt()
        execution.end(
            .taken(exits(try order("accepted"), try order("held", id: "stop"))), httpStatusCode: 200,
            terms: try terms(), at: at(1))
        return try orders.map { execution.observe($0, terms: try terms(), at: at(2)) ? execution.line : nil }
    }

    @Test("is executed when the stop-loss fills, though the take-profit is cancelled")
    func stoppedOut() throws {
        let trail = try trail([
            exits(order("new", updated: 1), order("held", id: "stop", updated: 1)),
            exits(order("canceled", updated: 2), order("new", id: "stop", updated: 1)),
            exits(order("canceled", updated: 2), order("filled", id: "stop", filled: "100", at: "139.9", updated: 3)),
        ])
        #expect(
            trail == [
                "submitted answered executing pending 0", nil, "filled answered executed success 100@139.9",
            ])
    }

    @Test("is executed when the take-profit fills")
    func tookProfit() throws {
        let trail = try trail([exits(order("filled", filled: "100", at: "160"), order("canceled", id: "stop"))])
        #expect(trail == ["filled answered executed success 100@160"])
    }

    @Test("counts what both filled, and fails only when both ended with nothing")
    func both() throws {
        #expect(
            try trail([
                exits(order("canceled", filled: "10", at: "160"), order("filled", id: "s", filled: "90", at: "1"))
            ])
                == ["filled answered executed success 100"])
        #expect(
            try trail([exits(order("canceled"), order("canceled", id: "stop"))])
                == ["cancelled answered failed failed 0"])
    }
}
