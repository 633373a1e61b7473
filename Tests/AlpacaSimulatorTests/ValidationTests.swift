import AlpacaSimulator
import StrictJSON
import Testing
import TradingCore

/// One row of the table of refusals.
struct RefusalCase: CustomTestStringConvertible, Sendable {
    let body: String
    let httpStatus: Int
    let code: Int64
    let message: String

    init(_ body: String, _ httpStatus: Int, _ code: Int64, _ message: String) {
        (self.body, self.httpStatus, self.code, self.message) = (body, httpStatus, code, message)
    }

    var testDescription: String { message }
}

private let base = "'symbol':'KO','side':'buy','time_in_force':'day'"

@Suite("An order with a bad parameter")
struct ParameterTests {
    static let cases: [RefusalCase] = [
        RefusalCase("[]", 400, 40_010_000, "request body format is invalid"),
        RefusalCase("{'symbol':1}", 400, 40_010_000, "request body format is invalid"),
        RefusalCase("{\(base),'type':'market','qty':'abc'}", 400, 40_010_000, "request body format is invalid"),
        RefusalCase("{\(base),'type':'market'}", 422, 40_010_001, "qty or notional is required"),
        RefusalCase(
            "{\(base),'type':'market','qty':'1','notional':'10'}", 422, 40_010_001,
            "only one of qty or notional is accepted"),
        RefusalCase("{\(base),'type':'market','qty':'0'}", 422, 40_010_001, "qty must be > 0"),
        RefusalCase("{\(base),'type':'market','qty':-1}", 422, 40_010_001, "qty must be > 0"),
        RefusalCase("{\(base),'type':'market','notional':'0.99'}", 422, 40_010_001, "notional must be >= 1.00"),
        RefusalCase("{\(base),'type':'iceberg','qty':'1'}", 422, 40_010_001, "invalid order type"),
        RefusalCase("{\(base),'qty':'1'}", 422, 40_010_001, "invalid order type"),
        RefusalCase(
            "{'symbol':'KO','side':'long','time_in_force':'day','type':'market','qty':'1'}", 422, 40_010_001,
            "invalid side"),
        RefusalCase(
            "{'symbol':'KO','side':'buy','time_in_force':'week','type':'market','qty':'1'}", 422, 40_010_001,
            "invalid time_in_force"),
        RefusalCase("{\(base),'type':'limit','qty':'1'}", 422, 40_010_001, "limit orders require a limit price"),
        RefusalCase(
            "{\(base),'type':'limit','qty':'1','limit_price':'-1'}", 422, 40_010_001, "limit price must be > 0"),
        RefusalCase("{\(base),'type':'stop','qty':'1'}", 422, 40_010_001, "stop orders require a stop price"),
        RefusalCase(
            "{\(base),'type':'stop_limit','qty':'1','stop_price':'70'}", 422, 40_010_001,
            "stop limit orders require both stop and limit price"),
        RefusalCase(
            "{\(base),'type':'market','qty':'1','limit_price':'60'}", 422, 40_010_001,
            "market orders require no stop or limit price"),
        RefusalCase(
            "{\(base),'type':'market','qty':'1','trail_price':'1'}", 422, 40_010_001,
            "market orders must not have trail_price"),
        RefusalCase(
            "{\(base),'type':'trailing_stop','qty':'1'}", 422, 40_010_001,
            "trailing stop orders must specify one of trail_price or trail_percent"),
        RefusalCase(
            "{\(base),'type':'market','qty':'1','client_order_id':'\(String(repeating: "x", count: 129))'}", 422,
            40_010_001, "client_order_id must be no more than 128 characters"),
        RefusalCase(
            "{\(base),'type':'market','qty':'1','order_class':'bracket'}", 422, 40_010_001,
            "bracket orders require take_profit.limit_price"),
        RefusalCase(
            "{\(base),'type':'market','qty':'1','order_class':'oto'}", 422, 40_010_001,
            "oto orders require either take_profit or stop_loss"),
        RefusalCase(
            "{\(base),'type':'market','qty':'1','order_class':'oco'}", 422, 40_010_001,
            "oco orders must be limit orders"),
        RefusalCase(
            "{\(base),'type':'market','qty':'1','order_class':'bracket','take_profit':{'limit_price':'50'},"
                + "'stop_loss':{'stop_price':'55'}}", 422, 42_210_000,
            "take_profit.limit_price must be > stop_loss.stop_price"),
        RefusalCase(
            "{'symbol':'KO','qty':'1','order_class':'mleg','type':'market','time_in_force':'day'}", 422, 40_010_001,
            "symbol is not allowed for mleg order"),
    ]

    @Test("is refused with Alpaca's code and text", arguments: cases)
    func refused(_ row: RefusalCase) {
        expectRefusal(row)
    }
}

@Suite("An order that the asset's rules forbid")
struct AssetRuleTests {
    static let cases: [RefusalCase] = [
        RefusalCase(order("NOPE"), 422, 42_210_000, "asset \"NOPE\" not found"),
        RefusalCase(order("RGC"), 422, 42_210_000, "asset \"RGC\" is not tradable"),
        RefusalCase(
            order("MKR/USD", timeInForce: "gtc"), 422, 40_010_001, "asset MKR/USD is not active"),
        RefusalCase(order("BRK.A", quantity: "0.5"), 403, 40_310_000, "asset \"BRK.A\" is not fractionable"),
        RefusalCase(
            order("KO", quantity: "0.5", timeInForce: "gtc"), 422, 42_210_000, "fractional orders must be DAY orders"),
        RefusalCase(
            order(
                "KO", quantity: "0.5",
                more: ",'order_class':'bracket','take_profit':{'limit_price':'70'},'stop_loss':{'stop_price':'50'}"),
            422, 42_210_000, "fractional orders must be simple orders"),
        RefusalCase(
            order("KO", type: "limit", more: ",'limit_price':'290.123'"), 422, 42_210_000,
            "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria"),
        RefusalCase(
            order("SNDL", type: "limit", more: ",'limit_price':'0.45251'"), 422, 42_210_000,
            "invalid limit_price 0.45251. sub-penny increment does not fulfill minimum pricing criteria"),
        RefusalCase(
            order("KO", more: ",'extended_hours':true"), 422, 42_210_000,
            "extended hours order must be DAY or GTC limit orders"),
        RefusalCase(
            order("GME", timeInForce: "gtc"), 422, 42_210_000,
            "only day orders are allowed for hard-to-borrow asset \"GME\""),
        RefusalCase(
            order("KO", type: "stop", more: ",'stop_price':'50'"), 422, 42_210_000,
            "stop price must be greater than current price"),
        RefusalCase(
            order("KO", side: "sell", type: "stop", more: ",'stop_price':'70'"), 422, 42_210_000,
            "stop price must be less than current price"),
        RefusalCase(
            order(
                "KO",
                more: ",'order_class':'bracket','take_profit':{'limit_price':'70'},'stop_loss':{'stop_price':'60.1'}"
            ), 422, 42_210_000, "stop price must be less than base_price - 0.01"),
        RefusalCase(order("BTC/USD"), 422, 42_210_000, "invalid crypto time_in_force"),
        RefusalCase(
            order("BTC/USD", type: "stop", timeInForce: "gtc", more: ",'stop_price':'99000'"), 422, 40_010_001,
            "invalid order type for crypto order"),
        RefusalCase(
            order("AAPL261218C00250000", quantity: "1.5"), 422, 40_010_001, "qty must be integer"),
        RefusalCase(
            order("KO", timeInForce: "opg"), 403, 40_310_000,
            "opg orders must be submitted after 7:00pm and before 9:28am"),
    ]

    private static func order(
        _ symbol: String, quantity: String = "1", side: String = "buy", type: String = "market",
        timeInForce: String = "day", more: String = ""
    ) -> String {
        "{'symbol':'\(symbol)','qty':'\(quantity)','side':'\(side)','type':'\(type)','time_in_force':'\(timeInForce)'"
            + more + "}"
    }

    @Test("is refused with Alpaca's code and text", arguments: cases)
    func refused(_ row: RefusalCase) {
        expectRefusal(row)
    }

    @Test("names both prices when a stop stands on the wrong side")
    func stopPrices() {
        var test = TestExchange()
        let refusal = #expect(throws: BrokerRefusal.self) {
            try test.submit(
                "{'symbol':'KO','qty':'1','side':'buy','type':'stop','time_in_force':'day','stop_price':'50'}")
        }
        #expect(
            refusal?.body.text
                == #"{"code":42210000,"market_price":"60.1","message":"stop price must be greater than current price","#
                + #""stop_price":"50"}"#)
    }

    @Test("is refused at the market while its symbol is halted")
    func halted() {
        var test = TestExchange()
        test.exchange.haltedSymbols = ["KO"]
        let refusal = #expect(throws: BrokerRefusal.self) { try test.market("buy", "1", "KO") }
        #expect(
            refusal?.message
                == "market order rejected due to trading halt on symbol: \"KO\", please place a limit order instead")
    }
}

@Suite("An order that the account does not cover")
struct AccountTests {
    @Test("for lack of funds is refused with both amounts")
    func buyingPower() {
        var test = TestExchange { $0.cash = ExactDecimal(100) }
        let refusal = #expect(throws: BrokerRefusal.self) { try test.market("buy", "10", "KO") }
        #expect(
            refusal?.body.text
                == #"{"buying_power":"400","code":40310000,"cost_basis":"616.02","message":"insufficient buying power"}"#
        )
        #expect(refusal?.httpStatus == 403)
    }

    @Test("for lack of shares is refused as recorded")
    func quantity() throws {
        var test = TestExchange()
        try test.hold("0.557436865", "PEP")
        let refusal = #expect(throws: BrokerRefusal.self) { try test.market("sell", "1.057436865", "PEP") }
        #expect(
            refusal?.body.text
                == #"{"available":"0.557436865","code":40310000,"existing_qty":"0.557436865","held_for_orders":"0","#
                + #""message":"insufficient qty available for order (requested: 1.057436865, available: 0.557436865)","#
                + #""symbol":"PEP"}"#)
    }

    @Test("names the orders that hold the shares")
    func relatedOrders() throws {
        var test = TestExchange()
        try test.hold("23", "AMD")
        let resting = try test.submit(
            "{'symbol':'AMD','qty':'23','side':'sell','type':'limit','limit_price':'500','time_in_force':'day'}")
        let refusal = #expect(throws: BrokerRefusal.self) { try test.market("sell", "23", "AMD") }
        #expect(refusal?.body["held_for_orders"] == "23")
        #expect(refusal?.body["related_orders"] == .array([.string(test.exchange[resting].id)]))
    }

    @Test(
        "to sell what is not there is refused by what the asset allows",
        arguments: [
            ("TMCR", "1", "asset \"TMCR\" cannot be sold short"),
            ("KO", "0.5", "fractional orders cannot be sold short"),
        ])
    func short(_ symbol: String, _ quantity: String, _ message: String) {
        var test = TestExchange()
        let refusal = #expect(throws: BrokerRefusal.self) { try test.market("sell", quantity, symbol) }
        #expect(refusal?.httpStatus == 422)
        #expect(refusal?.message == message)
    }

    @Test("to sell coins that are not there names the coin")
    func coins() {
        var test = TestExchange()
        let refusal = #expect(throws: BrokerRefusal.self) {
            try test.submit(
                "{'symbol':'BTC/USD','qty':'0.01','side':'sell','type':'market','time_in_force':'gtc'}")
        }
        #expect(refusal?.message == "insufficient balance for BTC (requested: 0.01, available: 0)")
        #expect(refusal?.body["symbol"] == "USD")
    }

    @Test(
        "for too little money is refused, but a whole share below a dollar is taken, as recorded",
        arguments: [("KO", "0.01", "day", "1"), ("BTC/USD", "0.0001", "gtc", "10")])
    func minimum(_ symbol: String, _ quantity: String, _ timeInForce: String, _ minimum: String) throws {
        var test = TestExchange()
        let refusal = #expect(throws: BrokerRefusal.self) {
            try test.submit(
                "{'symbol':'\(symbol)','qty':'\(quantity)','side':'buy','type':'market',"
                    + "'time_in_force':'\(timeInForce)'}")
        }
        #expect(refusal?.httpStatus == 403)
        #expect(refusal?.message == "cost basis must be >= minimal amount of order \(minimum)")
        try test.market("buy", "1", "SNDL")
    }

    @Test("that could trade with one of our own is refused, unless that is switched off")
    func washTrade() throws {
        var test = TestExchange()
        let first = try test.market("buy", "5", "KO")
        let refusal = #expect(throws: BrokerRefusal.self) { try test.market("sell", "5", "KO") }
        #expect(refusal?.message == "potential wash trade detected. use complex orders")
        #expect(refusal?.body["existing_order_id"] == .string(test.exchange[first].id))
        #expect(refusal?.body["reject_reason"] == "opposite side market/stop order exists")

        var lenient = TestExchange { $0.refusesWashTrades = false }
        try lenient.market("buy", "5", "KO")
        try lenient.market("sell", "5", "KO")
    }

    @Test("with another intent than the position has is refused")
    func intent() {
        var test = TestExchange()
        let refusal = #expect(throws: BrokerRefusal.self) {
            try test.market("buy", "1", "KO", more: ",'position_intent':'buy_to_close'")
        }
        #expect(
            refusal?.message == "position intent mismatch, inferred: buy_to_open, specified: buy_to_close")
    }

    @Test("is refused while the user has suspended trading")
    func suspended() {
        var test = TestExchange()
        test.exchange.isTradeSuspendedByUser = true
        let refusal = #expect(throws: BrokerRefusal.self) { try test.market("buy", "1", "KO") }
        #expect(refusal?.message == "new orders are rejected by user request")
    }
}

@Suite("A client order id that was used before")
struct UniquenessTests {
    @Test("is refused even after its order has ended", arguments: [0, 5000])
    func refused(_ milliseconds: Int64) throws {
        var test = TestExchange()
        try test.market("buy", "1", "KO", more: ",'client_order_id':'s:1'")
        test.pass(milliseconds: milliseconds)
        let refusal = #expect(throws: BrokerRefusal.self) {
            try test.market("buy", "2", "PEP", more: ",'client_order_id':'s:1'")
        }
        #expect(refusal == .badParameter("client_order_id must be unique"))
        #expect(test.exchange.orders.count == 1)
    }
}

private func expectRefusal(_ row: RefusalCase) {
    var test = TestExchange()
    let refusal = #expect(throws: BrokerRefusal.self) { try test.submit(row.body) }
    #expect(refusal?.httpStatus == row.httpStatus)
    #expect(refusal?.code == row.code)
    #expect(refusal?.message == row.message)
}
