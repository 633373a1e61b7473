package import StrictJSON
package import ZeroMQMessaging

/// Asks a worker over its intake, as any publisher does: no answer within two seconds, and the same bytes go again.
package final class IntakeClient {
    private let socket: ZeroMQSocket
    /// After this long without an answer the same is sent again. Safe, since the worker knows what it has accepted.
    private static let resendAfterMilliseconds = 2000

    /// - Parameter keys: For an endpoint that is guarded by keys.
    package init(_ endpoint: String, keys: ClientKeys? = nil, in context: ZeroMQContext) throws(ZeroMQError) {
        socket = try ZeroMQSocket(.dealer, in: context)
        try socket.setLinger(0)
        if let keys { try socket.setKeys(keys) }
        try socket.connect(endpoint)
    }

    /// Sends a message without waiting for its answer.
    package func send(_ body: [UInt8]) throws(ZeroMQError) {
        _ = try socket.send([body])
    }

    /// The next answer; nil when none has come within the time.
    package func receive(milliseconds: Int) throws(ZeroMQError) -> JSONValue? {
        guard try socket.waitUntilReadable(milliseconds: milliseconds),
            let body = try socket.receiveMessage(framesMax: 8)?.last?.bytes
        else { return nil }
        return try? JSONValue(parsing: body)
    }

    /// Sends a message until it is answered.
    /// - Parameter isAnswer: Whether an answer belongs to this message; others are late ones of messages before.
    /// - Returns: Nil when `milliseconds` have passed without an answer.
    package func ask(
        _ body: [UInt8], milliseconds: Int, isAnswer: (JSONValue) -> Bool = { _ in true }
    ) throws(ZeroMQError) -> JSONValue? {
        var left = milliseconds
        while left > 0 {
            try send(body)
            let wait = min(left, IntakeClient.resendAfterMilliseconds)
            left -= wait
            if let answer = try receive(milliseconds: wait), isAnswer(answer) { return answer }
        }
        return nil
    }
}
