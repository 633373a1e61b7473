/// What can go wrong on the way of a request or of its answer. The names are stable: control requests, flags and the
/// list of received orders use them.
package enum Fault: String, CaseIterable, Sendable {
    /// Waits, records the order, answers.
    case delayBeforeRecording = "delay_before_recording"
    /// Records the order, waits, answers.
    case delayAfterRecording = "delay_after_recording"
    /// Closes the connection without an answer; the order is not recorded.
    case closeBeforeRecording = "close_before_recording"
    /// Closes the connection without an answer; the order is recorded.
    case closeAfterRecording = "close_after_recording"
    /// Reads a request that came on a connection which has served one before, and closes without an answer; not
    /// recorded. This is where HTTP libraries send a POST again by themselves.
    case closeReusedConnection = "close_reused_connection"
    /// The same, and the order is recorded: a second POST would be a second order but for its client order id.
    case closeReusedConnectionAfterRecording = "close_reused_connection_after_recording"
    /// Records the order, sends half of the answer's body, and resets the connection.
    case resetMidBody = "reset_mid_body"
    /// Records the order and answers 200 with half of the body, its length announced as if it were whole.
    case truncatedJSON = "truncated_json"
    /// Records the order and answers 200 with nothing.
    case empty200 = "empty_200"
    /// Records the order and answers 200 with a page of HTML, as a proxy in between does.
    case html200 = "html_200"
    /// Answers 502 with a page of HTML; not recorded.
    case html502 = "html_502"
    /// Records the order and answers 504 with a page of HTML: the answer Alpaca warns of.
    case html504 = "html_504"
    case html504Unrecorded = "html_504_unrecorded"
    case json500AfterRecording = "json_500_after_recording"
    case json500Unrecorded = "json_500_unrecorded"
    /// Answers 429 in plain text, as the edge does; not recorded.
    case text429 = "text_429"
    /// Records the order and sends the answer byte by byte, with a pause after each.
    case slowDrip = "slow_drip"

    /// Whether the request is carried out. Requests other than POST are carried out or not alike.
    package var recordsOrder: Bool {
        switch self {
        case .delayBeforeRecording, .delayAfterRecording, .closeAfterRecording, .closeReusedConnectionAfterRecording,
            .resetMidBody, .truncatedJSON, .empty200, .html200, .html504, .json500AfterRecording, .slowDrip:
            true
        case .closeBeforeRecording, .closeReusedConnection, .html502, .html504Unrecorded, .json500Unrecorded,
            .text429:
            false
        }
    }

    /// Whether it strikes only on a connection that has served a request before.
    package var needsReusedConnection: Bool {
        self == .closeReusedConnection || self == .closeReusedConnectionAfterRecording
    }

    /// How long it waits where a rule does not say: for a drip, after each byte.
    package var defaultMilliseconds: Int64 {
        self == .slowDrip ? 2 : 1000
    }
}

/// The method of the requests that a fault may strike.
package enum FaultMethod: String, CaseIterable, Sendable {
    case post = "POST"
    case get = "GET"
    case patch = "PATCH"
    case delete = "DELETE"
}
