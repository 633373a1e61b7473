package import TradingCore

/// What an HTTP exchange came to, as the transport tells it.
package enum HTTPExchangeResult: Equatable, Sendable {
    /// A whole answer was read.
    case answered(HTTPAnswer)
    /// The connection could not be made, so not one byte of the request was written.
    case notSent(reason: String)
    /// Something was or may have been written and no whole answer came; with what came of one.
    case lost(reason: String, partial: HTTPAnswer?)
}

/// An HTTP answer, or the part of one that came.
package struct HTTPAnswer: Equatable, Sendable {
    package var statusCode: Int
    package var body: [UInt8]
    package var headers: BrokerHeaders

    package init(statusCode: Int, body: [UInt8], headers: BrokerHeaders = BrokerHeaders()) {
        self.statusCode = statusCode
        self.body = body
        self.headers = headers
    }
}

/// The headers of an answer that are kept. Source: Alpaca, "Usage limits" and "Getting Started with Trading API":
/// `X-Request-ID` cannot be looked up later and support asks for it.
package struct BrokerHeaders: Equatable, Sendable {
    package var requestID: String?
    package var rateLimit: Int64?
    package var rateLimitRemaining: Int64?
    /// Seconds since 1970 at which the allowance is whole again.
    package var rateLimitReset: Int64?

    package init(
        requestID: String? = nil, rateLimit: Int64? = nil, rateLimitRemaining: Int64? = nil,
        rateLimitReset: Int64? = nil
    ) {
        self.requestID = requestID
        self.rateLimit = rateLimit
        self.rateLimitRemaining = rateLimitRemaining
        self.rateLimitReset = rateLimitReset
    }
}

extension AttemptResult {
    /// The meaning of the exchange that was the one attempt to place `clientOrderID`: the contract's table, row by row.
    package init(_ exchange: HTTPExchangeResult, clientOrderID: ClientOrderID) {
        switch exchange {
        case .notSent(let reason): self = .notSent(reason: reason)
        case .lost(let reason, _): self = .lost(reason: reason)
        case .answered(let answer): self = AttemptResult(answer, clientOrderID)
        }
    }

    private init(_ answer: HTTPAnswer, _ clientOrderID: ClientOrderID) {
        switch answer.statusCode {
        case 200..<300:
            if let order = OrderAnswer.order(answer.body), order.clientOrderID == clientOrderID.text {
                self = .taken(order)
            } else {
                self = .lost(reason: "HTTP \(answer.statusCode) with an answer that shows no order of ours")
            }
        case 400..<500:
            let error = ErrorAnswer.read(answer.body, httpStatusCode: answer.statusCode)
            if error.saysThatIDExists(in: answer.body) {
                self = .exists(error)
            } else if answer.statusCode == 422 || answer.statusCode == 409, !ErrorAnswer.isReadable(answer.body) {
                // What cannot be read may have said that our order exists.
                self = .lost(reason: "HTTP \(answer.statusCode) with an answer that cannot be read")
            } else {
                self = .refused(error)
            }
        default:
            let error = ErrorAnswer.read(answer.body, httpStatusCode: answer.statusCode)
            let status = "HTTP \(answer.statusCode): "
            self = .lost(reason: error.message.hasPrefix(status) ? error.message : status + error.message)
        }
    }
}

extension BrokerError {
    /// The broker words this as "client_order_id must be unique", HTTP 422, and as 409 by one of its own texts; older
    /// answers write "client order id". An answer that could not be read as JSON is searched as a whole: taking it for a
    /// plain refusal would deny an order that exists.
    fileprivate func saysThatIDExists(in body: [UInt8]) -> Bool {
        let words = "\(message) \(details ?? "") \(String(decoding: body, as: UTF8.self))".lowercased()
        return words.contains("client_order_id must be unique") || words.contains("client order id must be unique")
    }
}
