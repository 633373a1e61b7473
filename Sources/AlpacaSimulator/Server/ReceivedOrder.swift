import StrictJSON
package import TradingCore

/// One POST /v2/orders as it arrived, and what came of it. The list of these proves how often an order was sent.
package struct ReceivedOrder: Sendable {
    /// From 1, in order of arrival.
    package let sequence: Int
    package let receivedAt: Timestamp
    /// Connections count from 1.
    package let connection: Int
    /// Whether the connection had served a request before.
    package let isOnReusedConnection: Bool
    package let clientOrderID: String?
    package let symbol: String?
    package let side: String?
    package let quantity: String?
    package let notional: String?
    package let body: String
    /// Whether the same client order id was POSTed before.
    package let isDuplicate: Bool
    package let fault: Fault?
    /// Whether an order came of it.
    package internal(set) var isRecorded = false
    package internal(set) var orderID: String?
    /// Nil where no answer was given, or not yet.
    package internal(set) var httpStatus: Int?

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("sequence", sequence)
            writer.member("received_at", receivedAt.brokerText)
            writer.member("connection", connection)
            writer.member("reused_connection", isOnReusedConnection)
            writer.member("client_order_id", clientOrderID)
            writer.member("symbol", symbol)
            writer.member("side", side)
            writer.member("qty", quantity)
            writer.member("notional", notional)
            writer.member("body", body)
            writer.member("recorded", isRecorded)
            writer.member("order_id", orderID)
            writer.member("http_status", httpStatus)
            writer.member("fault", fault?.rawValue)
            writer.member("duplicate", isDuplicate)
        }
    }
}

/// Counts of the POSTs received.
package struct ReceivedSummary: Sendable, Equatable {
    package var posts = 0
    package var distinctClientOrderIDs = 0
    package var duplicates = 0
    package var recorded = 0

    package init(posts: Int = 0, distinctClientOrderIDs: Int = 0, duplicates: Int = 0, recorded: Int = 0) {
        self.posts = posts
        self.distinctClientOrderIDs = distinctClientOrderIDs
        self.duplicates = duplicates
        self.recorded = recorded
    }
}
