package import GRDB
package import StrictJSON

/// A row of `trade_decisions`. Amounts and times are the text that the table holds.
package struct DecisionRecord: FetchableRecord, TableRecord, Equatable, Sendable {
    package static let databaseTableName = "trade_decisions"

    package let id: Int64
    package let decisionID: String
    package let strategyName: String
    /// Nil for a multi-leg order, as is `side`.
    package let symbol: String?
    package let side: String?
    package let quantity: String?
    package let notional: String?
    package let orderType: String
    package let timeInForce: String
    package let limitPrice: String?
    package let stopPrice: String?
    package let trailPrice: String?
    package let trailPercent: String?
    package let orderClass: String?
    /// A JSON object, as it came.
    package let rationale: String?
    package let status: String
    package let failureReason: String?
    package let expiresAt: String
    package let sequence: Int64?
    package let sender: String?
    /// The decision frame.
    package let message: String
    let lastOutcomeSeq: Int64?
    package let receivedAt: String
    package let executedAt: String?
    package let failedAt: String?
    package let createdAt: String
    package let updatedAt: String
    /// Where its execution, payloads and orders are; nil where they are here.
    package let archiveID: Int64?

    package enum Columns {
        static let id = Column("id")
        static let decisionID = Column("decision_id")
        static let strategyName = Column("strategy_name")
        static let symbol = Column("symbol")
    }

    package init(row: Row) {
        id = row["id"]
        decisionID = row["decision_id"]
        strategyName = row["strategy_name"]
        symbol = row["symbol"]
        side = row["side"]
        quantity = row["quantity"]
        notional = row["notional"]
        orderType = row["order_type"]
        timeInForce = row["time_in_force"]
        limitPrice = row["limit_price"]
        stopPrice = row["stop_price"]
        trailPrice = row["trail_price"]
        trailPercent = row["trail_percent"]
        orderClass = row["order_class"]
        rationale = row["rationale"]
        status = row["status"]
        failureReason = row["failure_reason"]
        expiresAt = row["expires_at"]
        sequence = row["sequence"]
        sender = row["sender"]
        message = row["message"]
        lastOutcomeSeq = row["last_outcome_seq"]
        receivedAt = row["received_at"]
        executedAt = row["executed_at"]
        failedAt = row["failed_at"]
        createdAt = row["created_at"]
        updatedAt = row["updated_at"]
        archiveID = row["archive_id"]
    }

    /// Writes every column under its own name, into an object that is open.
    package func writeMembers(to writer: inout JSONWriter) {
        writer.member("id", id)
        writeTerms(to: &writer)
        writer.member("status", status)
        writer.member("message", message)
        writer.member("created_at", createdAt)
        writer.member("updated_at", updatedAt)
    }

    /// Writes the columns that can stand beside those of an execution.
    func writeTerms(to writer: inout JSONWriter) {
        writer.member("decision_id", decisionID)
        writer.member("strategy_name", strategyName)
        writer.member("symbol", symbol)
        writer.member("side", side)
        writer.member("quantity", quantity)
        writer.member("notional", notional)
        writer.member("order_type", orderType)
        writer.member("time_in_force", timeInForce)
        writer.member("limit_price", limitPrice)
        writer.member("stop_price", stopPrice)
        writer.member("trail_price", trailPrice)
        writer.member("trail_percent", trailPercent)
        writer.member("order_class", orderClass)
        writer.member("rationale", json: rationale)
        writer.member("failure_reason", failureReason)
        writer.member("expires_at", expiresAt)
        writer.member("sequence", sequence)
        writer.member("sender", sender)
        writer.member("received_at", receivedAt)
        writer.member("executed_at", executedAt)
        writer.member("failed_at", failedAt)
    }
}
