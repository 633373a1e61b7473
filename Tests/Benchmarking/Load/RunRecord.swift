import StrictJSON

/// Everything that was heard of one run, with the moments on the clock of `Clock.now()` in nanoseconds.
package struct RunRecord: Sendable {
    /// A decision that was sent.
    package struct Sent: Sendable {
        package let name: DecisionFrames.Name
        /// When it was to be sent.
        package let dueAt: Int64
        package let sentAt: Int64

        package init(name: DecisionFrames.Name, dueAt: Int64, sentAt: Int64) {
            self.name = name
            self.dueAt = dueAt
            self.sentAt = sentAt
        }
    }

    /// A message that was received. It is read after the run only, so that reading delays nothing.
    package struct Received: Sendable {
        package let body: [UInt8]
        package let at: Int64

        package init(body: [UInt8], at: Int64) {
            self.body = body
            self.at = at
        }
    }

    package var sent: [Sent] = []
    package var acks: [Received] = []
    package var outcomes: [Received] = []
    package var arrivals: [BrokerArrival] = []

    package init() {}
}

/// An acknowledgement or an outcome, read.
struct Told {
    let name: DecisionFrames.Name
    /// Whether it says what a run without faults makes it say.
    let isGood: Bool
    let text: String
    let at: Int64

    init(ack received: RunRecord.Received) throws {
        try self.init(received) { $0["status"]?.string == "accepted" && $0["duplicate"]?.bool != true }
    }

    init(outcome received: RunRecord.Received) throws {
        try self.init(received) { $0["result"]?.string == "success" && $0["final"]?.bool == true }
    }

    private init(_ received: RunRecord.Received, isGood: (JSONValue) -> Bool) throws {
        let message = try JSONValue(parsing: received.body)
        name = DecisionFrames.Name(
            strategy: message["strategy_name"]?.string ?? "", id: message["decision_id"]?.string ?? "")
        self.isGood = isGood(message)
        text = message.text
        at = received.at
    }
}
