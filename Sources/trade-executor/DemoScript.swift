import StrictJSON

/// What the three sample strategies do: a realistic mix of decisions that are filled, rest, are cut short, are refused
/// here or there, or whose answer gets lost on the way.
enum DemoScript {
    /// One decision, a while after the one before.
    struct Line {
        let afterMilliseconds: Int64
        /// The members of the decision beside `v`, `decision_id` and `strategy_name`.
        let members: String
    }

    static let strategies: [(name: String, lines: [Line])] = [
        (
            "mean-rev",
            [
                line(300, #""symbol":"AAPL","side":"buy","quantity":"10","rationale":{"signal_strength":8.5}"#),
                line(900, #""symbol":"MSFT","side":"buy","quantity":"4","rationale":{"signal_strength":6.1}"#),
                line(1200, #""symbol":"AAPL","side":"sell","quantity":"4""#),
                line(900, #""symbol":"SPY","side":"buy","notional":"250.50""#),
                line(1100, #""symbol":"AAPL","side":"buy","quantity":"1000000""#),
                line(1300, #""symbol":"MSFT","side":"sell","quantity":"4""#),
                line(1000, #""symbol":"F","side":"buy","quantity":"25","valid_for_ms":2000"#),
                line(1400, #""symbol":"AAPL","side":"sell","quantity":"6""#),
                line(1200, #""symbol":"JPM","side":"buy","quantity":"3""#),
                line(1200, #""symbol":"XOM","side":"buy","quantity":"7""#),
            ]
        ),
        (
            "breakout",
            [
                line(
                    700,
                    #""symbol":"AMZN","side":"buy","quantity":"2","order_type":"limit","limit_price":"100.25","time_in_force":"gtc""#
                ),
                line(1500, #""symbol":"KO","side":"buy","quantity":"100""#),
                line(
                    1700,
                    #""symbol":"MSFT","side":"buy","quantity":"2","order_class":"bracket","take_profit":{"limit_price":"900"},"stop_loss":{"stop_price":"100"}"#
                ),
                line(1500, #""symbol":"NVDA","side":"buy","quantity":"5""#),
                line(1800, #""symbol":"NOSUCH","side":"buy","quantity":"1""#),
                line(
                    1500,
                    #""symbol":"AMD","side":"buy","quantity":"9","order_type":"stop","stop_price":"9000""#),
                line(1600, #""symbol":"TSLA","side":"buy","quantity":"1.5""#),
            ]
        ),
        (
            "crypto-grid",
            [
                line(500, #""symbol":"BTC/USD","side":"buy","quantity":"0.01","time_in_force":"gtc""#),
                line(1600, #""symbol":"ETH/USD","side":"buy","quantity":0.5,"time_in_force":"gtc""#),
                line(1200, #""symbol":"ETH/USD","side":"buy","quantity":"0.5","time_in_force":"gtc""#),
                line(1500, #""symbol":"BTC/USD","side":"buy","notional":"5","time_in_force":"gtc""#),
                line(1900, #""symbol":"ETH/USD","side":"sell","quantity":"0.25","time_in_force":"ioc""#),
                line(1500, #""symbol":"BTC/USD","side":"buy","limitprice":"1","quantity":"0.01""#),
                line(1700, #""symbol":"BTC/USD","side":"sell","quantity":"0.005","time_in_force":"gtc""#),
            ]
        ),
    ]

    /// What happens at the broker out of the ordinary: an order is cut short after a partial fill, and the answer to
    /// another one is lost after it was taken.
    static let directions: [(path: String, body: JSONValue)] = [
        (
            "/_simulator/scripts",
            [
                "symbol": "KO",
                "steps": [
                    ["after_ms": 5, "status": "new"],
                    ["after_ms": 400, "status": "partially_filled", "filled_qty": "40", "price": "60.1"],
                    ["after_ms": 1800, "status": "canceled"],
                ],
            ]
        ),
        ("/_simulator/faults", ["fault": "html_504", "symbol": "NVDA", "times": 1]),
    ]

    private static func line(_ afterMilliseconds: Int64, _ members: String) -> Line {
        Line(afterMilliseconds: afterMilliseconds, members: members)
    }
}
