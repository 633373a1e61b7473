package import GRDB
package import StrictJSON

/// A row of `trade_executions`. Amounts and times are the text that the table holds.
package struct ExecutionRecord: FetchableRecord, TableRecord, Equatable, Sendable {
    package static let databaseTableName = "trade_executions"

    package let id: Int64
    package let tradeDecisionID: Int64
    package let executionID: String
    package let clientOrderID: String
    package let attemptNumber: Int
    package let status: String
    package let certainty: String
    package let apiRequestPayloadID: Int64
    package let apiResponsePayloadID: Int64?
    package let alpacaOrderID: String?
    package let followedOrderID: String?
    /// The broker's word.
    package let orderStatus: String?
    package let httpStatusCode: Int?
    package let errorMessage: String?
    package let errorDetails: String?
    package let resolution: String?
    package let lostAt: String?
    package let filledQuantity: String?
    package let filledAveragePrice: String?
    package let commission: String?
    package let lookUps: Int
    package let submittedAt: String
    package let filledAt: String?
    package let rejectedAt: String?
    package let createdAt: String
    package let updatedAt: String

    package enum Columns {
        static let id = Column("id")
        static let tradeDecisionID = Column("trade_decision_id")
        static let executionID = Column("execution_id")
        static let clientOrderID = Column("client_order_id")
        static let status = Column("status")
        static let certainty = Column("certainty")
        static let createdAt = Column("created_at")
    }

    static let decision = belongsTo(DecisionRecord.self, key: "decision")
    static let request = belongsTo(
        PayloadRecord.self, key: "request_payload", using: ForeignKey(["api_request_payload_id"]))
    static let response = belongsTo(
        PayloadRecord.self, key: "response_payload", using: ForeignKey(["api_response_payload_id"]))

    package init(row: Row) {
        id = row["id"]
        tradeDecisionID = row["trade_decision_id"]
        executionID = row["execution_id"]
        clientOrderID = row["client_order_id"]
        attemptNumber = row["attempt_number"]
        status = row["status"]
        certainty = row["certainty"]
        apiRequestPayloadID = row["api_request_payload_id"]
        apiResponsePayloadID = row["api_response_payload_id"]
        alpacaOrderID = row["alpaca_order_id"]
        followedOrderID = row["followed_order_id"]
        orderStatus = row["order_status"]
        httpStatusCode = row["http_status_code"]
        errorMessage = row["error_message"]
        errorDetails = row["error_details"]
        resolution = row["resolution"]
        lostAt = row["lost_at"]
        filledQuantity = row["filled_quantity"]
        filledAveragePrice = row["filled_avg_price"]
        commission = row["commission"]
        lookUps = row["look_ups"]
        submittedAt = row["submitted_at"]
        filledAt = row["filled_at"]
        rejectedAt = row["rejected_at"]
        createdAt = row["created_at"]
        updatedAt = row["updated_at"]
    }

    /// Writes every column under its own name, into an object that is open.
    package func writeMembers(to writer: inout JSONWriter) {
        writer.member("id", id)
        writer.member("trade_decision_id", tradeDecisionID)
        writer.member("execution_id", executionID)
        writer.member("client_order_id", clientOrderID)
        writer.member("attempt_number", attemptNumber)
        writer.member("status", status)
        writer.member("certainty", certainty)
        writer.member("api_request_payload_id", apiRequestPayloadID)
        writer.member("api_response_payload_id", apiResponsePayloadID)
        writer.member("alpaca_order_id", alpacaOrderID)
        writer.member("followed_order_id", followedOrderID)
        writer.member("order_status", orderStatus)
        writer.member("http_status_code", httpStatusCode)
        writer.member("error_message", errorMessage)
        writer.member("error_details", errorDetails)
        writer.member("resolution", resolution)
        writer.member("lost_at", lostAt)
        writer.member("filled_quantity", filledQuantity)
        writer.member("filled_avg_price", filledAveragePrice)
        writer.member("commission", commission)
        writer.member("look_ups", lookUps)
        writer.member("submitted_at", submittedAt)
        writer.member("filled_at", filledAt)
        writer.member("rejected_at", rejectedAt)
        writer.member("created_at", createdAt)
        writer.member("updated_at", updatedAt)
    }
}
