package import GRDB
package import StrictJSON

/// A row of `api_payloads`.
package struct PayloadRecord: FetchableRecord, TableRecord, Equatable, Sendable {
    package static let databaseTableName = "api_payloads"

    package let id: Int64
    /// `ApiRequest` or `ApiResponse`.
    package let type: String
    package let source: String
    package let method: String
    package let endpoint: String
    package let statusCode: Int?
    /// The exact bytes.
    package let body: [UInt8]
    /// A JSON object.
    package let headers: String?
    /// Made by the worker in place of an answer that the broker never gave.
    package let isSynthetic: Bool
    package let capturedAt: String

    package enum Columns {
        static let id = Column("id")
        static let tradeDecisionID = Column("trade_decision_id")
    }

    package init(row: Row) throws {
        id = row["id"]
        type = row["type"]
        source = row["source"]
        method = row["method"]
        endpoint = row["endpoint"]
        statusCode = row["status_code"]
        body = try row.withUnsafeData(named: "body") { $0.map { Array($0) } ?? [] }
        headers = row["headers"]
        isSynthetic = row["synthetic"]
        capturedAt = row["captured_at"]
    }

    /// The body as text, where it is text.
    package var text: String? { String(validating: body, as: UTF8.self) }

    /// Writes every column under its own name, into an object that is open. The body is a string that holds its exact
    /// text; a body that is no text stands as `body_hex`.
    package func writeMembers(to writer: inout JSONWriter) {
        writer.member("id", id)
        writer.member("type", type)
        writer.member("source", source)
        writer.member("method", method)
        writer.member("endpoint", endpoint)
        writer.member("status_code", statusCode)
        writer.member("body", text)
        if text == nil { writer.member("body_hex", hexadecimalBody) }
        writer.member("headers", json: headers)
        writer.member("synthetic", isSynthetic)
        writer.member("captured_at", capturedAt)
    }

    /// The body in hexadecimal digits.
    package var hexadecimalBody: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: body.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
