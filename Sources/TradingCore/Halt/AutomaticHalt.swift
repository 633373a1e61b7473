/// Decides when the worker halts all trading by itself: after broker errors in a row, or over too many unknown attempts.
package struct AutomaticHalt: Sendable {
    package struct Thresholds: Equatable, Sendable {
        /// Halts at this many broker errors in a row; nil for never.
        package var errorsInARow: Int?
        /// Halts when more attempts than this are unknown; nil for never.
        package var unknown: Int?

        package init(errorsInARow: Int? = nil, unknown: Int? = nil) {
            self.errorsInARow = errorsInARow
            self.unknown = unknown
        }

        package var isOff: Bool { errorsInARow == nil && unknown == nil }
    }

    package let thresholds: Thresholds
    private var errorsInARow = 0
    private var lastError = ""
    /// How many unknown attempts an operator knew of when trading was resumed; as many do not halt it again.
    private var knownUnknown: Int

    /// - Parameter knownUnknown: The unknown attempts that were there already when trading was last resumed.
    package init(_ thresholds: Thresholds, knownUnknown: Int = 0) {
        self.thresholds = thresholds
        self.knownUnknown = knownUnknown
    }

    /// Takes note of what an attempt has come to. An answer, and be it that the order is refused, ends the row of errors.
    /// - Parameter httpStatusCode: That of the answer; nil where none came.
    package mutating func note(_ result: AttemptResult, httpStatusCode: Int?) {
        if let error = AutomaticHalt.brokerError(result, httpStatusCode) {
            errorsInARow += 1
            lastError = error
        } else {
            errorsInARow = 0
        }
    }

    /// Why trading is to be halted now, with the figures; nil while it is not.
    /// - Parameter unknown: How many attempts are unknown.
    package mutating func reason(unknown: Int) -> String? {
        // What was looked up since does not make room for as many new ones.
        knownUnknown = min(knownUnknown, unknown)
        if let most = thresholds.errorsInARow, errorsInARow >= most {
            return "\(errorsInARow) broker errors in a row (halt_after_errors is \(most)), the last: \(lastError)"
        }
        if let most = thresholds.unknown, unknown > most, unknown > knownUnknown {
            return "\(unknown) attempts are unknown (halt_over_unknown is \(most))"
        }
        return nil
    }

    /// An operator has resumed trading: the errors count from none, and of unknown attempts only more than there are now.
    package mutating func resume(unknown: Int) {
        errorsInARow = 0
        knownUnknown = unknown
    }

    /// What went wrong with the broker, or on the way to it; nil where the broker has answered about the order.
    package static func brokerError(_ result: AttemptResult, _ httpStatusCode: Int?) -> String? {
        switch result {
        case .taken, .exists: return nil
        case .lost(let reason), .notSent(let reason): return reason
        case .refused(let error):
            switch httpStatusCode {
            case 400, 403, 404, 409, 422: return nil
            // The keys, the allowance, and what no broker says of an order.
            default: return "HTTP \(httpStatusCode.map(String.init) ?? "?"): \(error.message)"
            }
        }
    }
}
