package import AlpacaAPI
package import OrderResolution
package import TradingCore

/// The clocks.
package protocol WorkerClock {
    func read() -> ClockReading
}

/// Where messages of publishers and subscribers come in.
package protocol DecisionIntake {
    /// What a reply is addressed with.
    associatedtype Envelope

    /// The next message; nil when none waits.
    func receive() throws(EdgeFault) -> IncomingMessage<Envelope>?
    /// Answers without waiting. A sender that is gone loses the answer and asks again.
    func reply(_ body: [UInt8], to envelope: Envelope) throws(EdgeFault)
}

/// One message as it came.
package struct IncomingMessage<Envelope> {
    /// Nil where the sender expects no reply, or is gone.
    package let envelope: Envelope?
    package let body: [UInt8]
    /// Who sent it, for the records.
    package let sender: String?
    /// What its sender may ask for.
    package let rights: Rights
    /// What the message has too much of, beside its body, to be read at all.
    package let excess: Refusal?
    /// What came, where the account's key or secret stands in it: the body does not show them any more. Never to be kept.
    package let withCredentials: [UInt8]?

    package init(
        envelope: Envelope?, body: [UInt8], sender: String?, rights: Rights = .unlimited, excess: Refusal? = nil,
        withCredentials: [UInt8]? = nil
    ) {
        self.envelope = envelope
        self.body = body
        self.sender = sender
        self.rights = rights
        self.excess = excess
        self.withCredentials = withCredentials
    }
}

/// Where outcomes go out. Publishing never waits for a subscriber.
package protocol OutcomeTopic {
    func publish(topic: String, body: [UInt8]) throws(EdgeFault)
}

/// The line on which an order is placed: the only way to a POST.
package protocol OrderPlacement {
    /// Sends a request, once.
    func post(path: String, body: [UInt8]) throws(EdgeFault)
    /// What the request came to, once it has ended.
    func takeResult() -> HTTPExchangeResult?
}

/// The kill switch, and the record of who has used it.
package protocol HaltSwitch {
    /// The halt that covers a strategy, if any. What cannot be looked at counts as halted.
    func halt(covering strategy: StrategyName) -> Halt?
    /// Every halt in force.
    func all() throws(EdgeFault) -> [Halt]
    /// The files among the halts that are called like none, and so halt nothing.
    func namesOfNoHalt() throws(EdgeFault) -> [String]
    /// Whether a halt is in force.
    func isInForce(_ scope: Halt.Scope) throws(EdgeFault) -> Bool
    /// Halts.
    func set(_ halt: Halt) throws(EdgeFault)
    /// Adds an entry to the record.
    func record(_ event: HaltEvent) throws(EdgeFault)
    /// The next entries of the record from a position on; nil where there are none.
    func recorded(from position: Int64) throws(EdgeFault) -> HaltHistoryPage?
}

/// Makes the ids of executions.
package protocol ExecutionIDs {
    /// A UUID that was never given out.
    func next(at time: Timestamp) -> String
}

/// Is told of every point of death that is passed. In production nobody is.
package protocol WorkerProbe {
    func pass(_ point: DeathPoint)
}

package struct NoProbe: WorkerProbe {
    package init() {}
    package func pass(_ point: DeathPoint) {}
}
