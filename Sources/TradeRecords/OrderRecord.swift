package import GRDB
package import StrictJSON

/// A row of `alpaca_orders`: an order of a decision as the broker last showed it, a leg of one, or one that replaced it.
package struct OrderRecord: FetchableRecord, TableRecord, Equatable, Sendable {
    package static let databaseTableName = "alpaca_orders"

    package let id: Int64
    package let tradeDecisionID: Int64
    package let alpacaOrderID: String
    /// The order that this one is a leg of.
    package let parentOrderID: String?
    package let replacedBy: String?
    package let clientOrderID: String?
    package let symbol: String?
    package let side: String?
    package let quantity: String?
    package let notional: String?
    /// The broker's word.
    package let status: String
    package let filledQuantity: String?
    package let filledAveragePrice: String?
    package let createdAt: String
    package let updatedAt: String

    package enum Columns {
        static let id = Column("id")
        static let tradeDecisionID = Column("trade_decision_id")
        static let alpacaOrderID = Column("alpaca_order_id")
    }

    package init(row: Row) {
        id = row["id"]
        tradeDecisionID = row["trade_decision_id"]
        alpacaOrderID = row["alpaca_order_id"]
        parentOrderID = row["parent_order_id"]
        replacedBy = row["replaced_by"]
        clientOrderID = row["client_order_id"]
        symbol = row["symbol"]
        side = row["side"]
        quantity = row["quantity"]
        notional = row["notional"]
        status = row["status"]
        filledQuantity = row["filled_quantity"]
        filledAveragePrice = row["filled_avg_price"]
        createdAt = row["created_at"]
        updatedAt = row["updated_at"]
    }

    /// Writes every column under its own name, into an object that is open.
    package func writeMembers(to writer: inout JSONWriter) {
        writer.member("id", id)
        writer.member("trade_decision_id", tradeDecisionID)
        writer.member("alpaca_order_id", alpacaOrderID)
        writer.member("parent_order_id", parentOrderID)
        writer.member("replaced_by", replacedBy)
        writer.member("client_order_id", clientOrderID)
        writer.member("symbol", symbol)
        writer.member("side", side)
        writer.member("quantity", quantity)
        writer.member("notional", notional)
        writer.member("status", status)
        writer.member("filled_quantity", filledQuantity)
        writer.member("filled_avg_price", filledAveragePrice)
        writer.member("created_at", createdAt)
        writer.member("updated_at", updatedAt)
    }
}
