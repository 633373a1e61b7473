package import StrictJSON

/// A no of the broker: HTTP status, code and text as Alpaca gives them. The code is not the status plus a number:
/// 40010001 comes with 422.
package struct BrokerRefusal: Error, Equatable, Sendable {
    package let httpStatus: Int
    package let code: Int64?
    package let message: String
    /// What stands in the body beside code and message.
    package let extraFields: [JSONValue.Member]

    package init(_ httpStatus: Int, _ code: Int64?, _ message: String, _ extraFields: [JSONValue.Member] = []) {
        self.httpStatus = httpStatus
        self.code = code
        self.message = message
        self.extraFields = extraFields
    }

    /// 400: the body cannot be parsed.
    package static let unreadableBody = BrokerRefusal(400, 40_010_000, "request body format is invalid")

    /// 422: a parameter is missing or malformed.
    package static func badParameter(_ message: String) -> BrokerRefusal { BrokerRefusal(422, 40_010_001, message) }

    /// 422: well formed, and not allowed by a rule.
    package static func notAllowed(_ message: String, _ extraFields: [JSONValue.Member] = []) -> BrokerRefusal {
        BrokerRefusal(422, 42_210_000, message, extraFields)
    }

    /// 403: funds, quantity, permissions, wash trades.
    package static func forbidden(_ message: String, _ extraFields: [JSONValue.Member] = []) -> BrokerRefusal {
        BrokerRefusal(403, 40_310_000, message, extraFields)
    }

    /// 404: no such order, position, asset or endpoint.
    package static func notFound(_ message: String) -> BrokerRefusal { BrokerRefusal(404, 40_410_000, message) }

    /// The body, its keys in alphabetical order as Alpaca writes them.
    package var body: JSONValue {
        var members = extraFields + [JSONValue.Member("message", .string(message))]
        if let code { members.append(JSONValue.Member("code", .number(String(code)))) }
        return .object(members.sorted { $0.key < $1.key })
    }
}
