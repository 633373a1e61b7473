import StrictJSON
import TestKit
import TradeRecords
import TradingCore

/// A database with one decision of every kind.
final class RecordedTrades {
    let path: String
    let history: TradeHistory
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/trades.db"
        history = try TradeHistory(path: path, start: "2026-11-22T14:00:00Z")
    }

    /// Seven executions of three strategies, and two decisions that were never sent.
    static func ofEveryKind() throws -> RecordedTrades {
        let trades = try RecordedTrades()
        let history = trades.history
        func order(_ id: String, _ client: String, _ status: String, filled: String = "0") -> TradeHistory.Ending {
            .order(
                TradeHistory.order(
                    id, client: client, status: status, filled: filled, price: filled == "0" ? nil : "150.25")
            )
        }
        let poor = #"{"code":40310000,"message":"insufficient buying power"}"#
        try history.execute("d-1", strategy: "mean-rev", ending: order("o-1", "mean-rev:d-1", "filled", filled: "10"))
        try history.execute("d-2", strategy: "mean-rev", ending: .error(status: 403, body: poor))
        try history.execute("d-3", strategy: "momentum", ending: .error(status: 403, body: poor))
        try history.execute("d-4", strategy: "momentum", ending: order("o-4", "momentum:d-4", "new"))
        try history.execute("d-5", strategy: "momentum", ending: order("o-5", "momentum:d-5", "accepted"))
        try history.execute(
            "d-6", strategy: "pairs", #""symbol":"MSFT","side":"sell","quantity":"0.5""#, ending: .lost("timeout"))
        try history.execute("d-7", strategy: "pairs", ending: .notSent("no connection"))
        try history.refuse("d-8", strategy: "pairs")
        try history.refuse("d-9", strategy: "pairs", for: .halted)
        try history.accept("d-10", strategy: "pairs")
        return trades
    }

    func records() throws -> TradeRecords { try TradeRecords(path: path) }

    /// The ids of the decisions whose executions a filter lets through, in the order of the listing.
    func decisions(_ filter: ExecutionFilter, at now: String = "2026-11-22T15:00:00Z") throws -> [String] {
        var ids: [String] = []
        try records().forEachExecution(filter, at: try time(now)) { ids.append($0.decision.decisionID) }
        return ids
    }

    func time(_ text: String) throws -> Timestamp {
        guard let time = Timestamp(text) else { throw TestFailure("\(text) is no time") }
        return time
    }
}
