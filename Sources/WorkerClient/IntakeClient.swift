package import StrictJSON
package import ZeroMQMessaging

/// Asks a worker over its intake, as any publisher does: no answer within two seconds, and the same bytes go again.
package final class IntakeClient {
    private let socket: ZeroMQSocket
    /// After this long without an answer the same is sent again. Safe, since the worker knows what it has accepted.
    static let resendAfterMilliseconds = 2000

    /// - Parameters:
    ///   - keys: For an endpoint that is guarded by keys.
    ///   - sendQueueMax: How many messages may wait for an endpoint that cannot be reached. What comes on top is dropped.
    package init(
        _ endpoint: String, keys: ClientKeys? = nil, sendQueueMax: Int32 = 1000, in context: ZeroMQContext
    ) throws(ZeroMQError) {
        socket = try ZeroMQSocket(.dealer, in: context)
        try socket.setLinger(0)
        try socket.setSendQueueMax(sendQueueMax)
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
        // A late answer to the same question before may tell what is no longer so.
        while try socket.receiveMessage(framesMax: 8) != nil {}
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while ContinuousClock.now < end {
            try send(body)
            let resendAt = min(end, ContinuousClock.now + .milliseconds(IntakeClient.resendAfterMilliseconds))
            while ContinuousClock.now < resendAt {
                let answer = try receive(milliseconds: ContinuousClock.now.milliseconds(until: resendAt))
                if let answer, isAnswer(answer) { return answer }
            }
        }
        return nil
    }
}

extension ContinuousClock.Instant {
    /// Whole milliseconds, rounded up; 0 for what is past.
    func milliseconds(until end: ContinuousClock.Instant) -> Int {
        let (seconds, attoseconds) = duration(to: end).components
        return max(0, Int(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}
