import AlpacaAPI
import Testing
import TradingCore

@Suite("The broker's word that limits ask for")
struct LimitAnswerTests {
    private func answer(_ status: Int, _ body: String) -> HTTPExchangeResult {
        .answered(HTTPAnswer(statusCode: status, body: Array(body.utf8)))
    }

    private func held(_ result: HTTPExchangeResult, of symbol: String = "AAPL") throws -> String {
        switch BrokerPosition.read(result, of: try #require(Symbol(symbol))) {
        case .held(let held): "\(held.direction) \(held.quantityAvailable)"
        case .nothingHeld: "none"
        case .unreadable: "unreadable"
        }
    }

    @Test("on a position says direction and what open orders leave of it, without its sign")
    func position() throws {
        let long = #"{"symbol":"AAPL","qty":"10","qty_available":"4.5","side":"long"}"#
        #expect(try held(answer(200, long)) == "long 4.5")
        #expect(try held(answer(200, #"{"symbol":"AAPL","qty_available":"-4","side":"short"}"#)) == "short 4")
        #expect(
            try held(answer(200, #"{"symbol":"BTCUSD","qty_available":"1","side":"long"}"#), of: "BTC/USD") == "long 1")
        #expect(try BrokerPosition.path(of: #require(Symbol("BTC/USD"))) == "/v2/positions/BTC%2FUSD")
    }

    @Test("that nothing is held counts in the broker's own words only")
    func nothing() throws {
        #expect(try held(answer(404, #"{"code":40410000,"message":"position does not exist"}"#)) == "none")
        #expect(try held(answer(404, "<html>not found</html>")) == "unreadable")
        #expect(try held(answer(404, #"{"code":40410000,"message":"endpoint not found"}"#)) == "unreadable")
    }

    @Test(
        "on a position that leaves a doubt is none",
        arguments: [
            #"{"symbol":"MSFT","qty_available":"4","side":"long"}"#, #"{"symbol":"AAPL","qty_available":"4"}"#,
            #"{"symbol":"AAPL","qty":"4","side":"long"}"#, #"{"symbol":"AAPL","qty_available":4,"side":"long"}"#,
            #"{"symbol":"AAPL","qty_available":"-4","side":"long"}"#,
            #"{"symbol":"AAPL","qty_available":"4","side":"short"}"#, "[]", "",
        ])
    func doubt(_ body: String) throws {
        #expect(try held(answer(200, body)) == "unreadable")
        #expect(
            try held(.lost(reason: "gone", partial: HTTPAnswer(statusCode: 200, body: Array(body.utf8))))
                == "unreadable")
        #expect(try held(answer(500, body)) == "unreadable")
    }

    private func marketHours(_ result: HTTPExchangeResult) -> MarketHours? {
        BrokerClock.marketHours(
            result, askedAt: MonotonicTime(microseconds: 0), receivedAt: MonotonicTime(microseconds: 0))
    }

    @Test("on the market says whether it is open, and when that changes, in New York's time")
    func clock() throws {
        let open = #"""
            {"timestamp":"2026-11-24T10:00:00.5-05:00","is_open":true,"next_open":"2026-11-25T09:30:00-05:00",
            "next_close":"2026-11-24T16:00:00-05:00"}
            """#
        let hours = try #require(marketHours(answer(200, open)))
        #expect(hours.isOpen)
        #expect(hours.nextChange.text == "2026-11-24T21:00:00.000000Z")
        #expect(hours.hold(at: MonotonicTime(microseconds: 21_599_499_999)))
        #expect(!hours.hold(at: MonotonicTime(microseconds: 21_599_500_000)))
        #expect(marketHours(answer(503, open)) == nil)
        #expect(marketHours(answer(200, #"{"is_open":true}"#)) == nil)
        #expect(marketHours(answer(200, "open")) == nil)
    }
}
