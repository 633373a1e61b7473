import AlpacaAPI
import Testing
import TradingCore

@Suite("The body of an order")
struct OrderRequestTests {
    private func body(_ order: OrderTerms) throws -> String {
        String(decoding: OrderRequest.body(for: try decision(order)), as: UTF8.self)
    }

    private func terms(_ amount: Amount, _ change: (inout OrderTerms) throws -> Void = { _ in }) rethrows -> OrderTerms
    {
        var terms = OrderTerms(symbol: Symbol("AAPL"), side: .buy, amount: amount)
        try change(&terms)
        return terms
    }

    @Test("at the market has what the broker requires, and our client order id")
    func market() throws {
        #expect(OrderRequest.path == "/v2/orders")
        #expect(
            try body(terms(quantity("100")))
                == #"{"symbol":"AAPL","qty":"100","side":"buy","type":"market","time_in_force":"day","#
                + #""client_order_id":"mean-rev:d-17"}"#)
    }

    @Test(
        "leaves the digits of money alone", arguments: ["0.50", "100.00", "1", "0.000000001", "1234567890.123456789"])
    func digits(_ text: String) throws {
        let notional = Amount.notional(try #require(Notional(decimal(text))))
        #expect(try body(terms(notional)).contains("\"notional\":\"\(text)\""))
        #expect(try body(terms(quantity(text))).contains("\"qty\":\"\(text)\""))
        let limited = try body(
            terms(quantity("1")) {
                $0.type = .limit
                $0.limitPrice = try price(text)
            })
        #expect(limited.contains("\"limit_price\":\"\(text)\""))
    }

    @Test("in dollars says notional and no qty")
    func notional() throws {
        let order = try terms(.notional(#require(Notional(decimal("250.00")))))
        #expect(
            try body(order)
                == #"{"symbol":"AAPL","notional":"250.00","side":"buy","type":"market","time_in_force":"day","#
                + #""client_order_id":"mean-rev:d-17"}"#)
    }

    @Test("with prices, hours and intent says each of them once")
    func stopLimit() throws {
        let order = try terms(quantity("10")) {
            $0.side = .sell
            $0.type = .stopLimit
            $0.timeInForce = .goodTillCanceled
            $0.limitPrice = try price("99.50")
            $0.stopPrice = try price("100")
            $0.extendedHours = false
            $0.positionIntent = .sellToClose
            $0.orderClass = .simple
        }
        #expect(
            try body(order)
                == #"{"symbol":"AAPL","qty":"10","side":"sell","type":"stop_limit","time_in_force":"gtc","#
                + #""limit_price":"99.50","stop_price":"100","extended_hours":false,"#
                + #""position_intent":"sell_to_close","order_class":"simple","client_order_id":"mean-rev:d-17"}"#)
    }

    @Test("that trails says by how much")
    func trailing() throws {
        let byPrice = try terms(quantity("1")) {
            $0.type = .trailingStop
            $0.trailPrice = try price("2.50")
        }
        #expect(try body(byPrice).contains(#""type":"trailing_stop","time_in_force":"day","trail_price":"2.50","#))
        let byPercent = try terms(quantity("1")) {
            $0.type = .trailingStop
            $0.trailPercent = try price("0.10")
        }
        #expect(try body(byPercent).contains(#""time_in_force":"day","trail_percent":"0.10","#))
    }

    @Test(
        "with exits has them inside",
        arguments: [
            (OrderClass.bracket, "bracket"), (.oneCancelsOther, "oco"), (.oneTriggersOther, "oto"),
        ])
    func exits(_ orderClass: OrderClass, _ word: String) throws {
        let order = try terms(quantity("1")) {
            $0.orderClass = orderClass
            $0.takeProfit = TakeProfit(limitPrice: try price("160.00"))
            $0.stopLoss = StopLoss(stopPrice: try price("140"), limitPrice: try price("139.5"))
        }
        #expect(
            try body(order).hasSuffix(
                #""order_class":"\#(word)","take_profit":{"limit_price":"160.00"},"#
                    + #""stop_loss":{"stop_price":"140","limit_price":"139.5"},"client_order_id":"mean-rev:d-17"}"#))
    }

    @Test("of several legs has symbol and side in the legs only")
    func multiLeg() throws {
        let leg = Leg(
            symbol: try #require(Symbol("AAPL261218C00150000")), ratioQuantity: try #require(Quantity(decimal("1"))),
            side: .buy, positionIntent: .buyToOpen)
        var other = leg
        (other.side, other.positionIntent) = (nil, .sellToOpen)
        let order = OrderTerms(
            symbol: nil, side: nil, amount: try quantity("2"), type: .limit, limitPrice: try price("-1.25"),
            orderClass: .multiLeg, legs: [leg, other])
        #expect(
            try body(order)
                == #"{"qty":"2","type":"limit","time_in_force":"day","limit_price":"-1.25","order_class":"mleg","#
                + #""legs":[{"symbol":"AAPL261218C00150000","ratio_qty":"1","side":"buy","#
                + #""position_intent":"buy_to_open"},{"symbol":"AAPL261218C00150000","ratio_qty":"1","#
                + #""position_intent":"sell_to_open"}],"client_order_id":"mean-rev:d-17"}"#)
    }
}

@Suite("A look-up")
struct LookUpRequestTests {
    @Test("asks for one order by its id, with its legs")
    func byID() {
        #expect(
            LookUpRequest.order(id: "61e69015-8549-4bfd-b9c3-01e75843f47d").path
                == "/v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d?nested=true")
        #expect(
            LookUpRequest.order(id: "a/b:c d?&#%é").path == "/v2/orders/a%2Fb%3Ac%20d%3F%26%23%25%C3%A9?nested=true")
    }

    @Test("asks for our own order by its client order id, the colon encoded")
    func byClientID() throws {
        #expect(
            LookUpRequest.orderByClientID(try decision().clientOrderID).path
                == "/v2/orders:by_client_order_id?client_order_id=mean-rev%3Ad-17&nested=true")
    }

    @Test("asks for listings, the newest orders first")
    func listings() throws {
        let moment = try #require(Timestamp("2026-11-22T14:30:01.5Z"))
        #expect(
            LookUpRequest.ordersSubmitted(after: moment).path
                == "/v2/orders?status=all&after=2026-11-22T14%3A30%3A01.500000Z&direction=desc&limit=500&nested=true")
        #expect(
            LookUpRequest.openOrders.path == "/v2/orders?status=open&direction=desc&limit=500&nested=true")
        #expect(LookUpRequest.listingMax == 500)
    }
}
