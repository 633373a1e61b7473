/// Has one decision in flight. Use one per strategy.
public final class Publisher {
    private let intake: Intake

    public init(intake: String = defaultIntake, keys: CurveKeys? = nil) {
        self.intake = Intake(intake, keys)
    }

    /// Publishes a decision with the members of the contract, without `v`, and returns the acknowledgement once it is on
    /// disk at the worker.
    ///
    /// Without an answer within 2 s the same bytes are sent again, for as long as it takes, or until `timeout`.
    public func publish(_ decision: JSON, timeout: Duration? = nil) throws(ClientError) -> JSON {
        guard case .object(var members) = decision else { throw .unreadable("a decision is a JSON object") }
        members["v"] = 1
        return try intake.ask(.object(members), "ack", timeout: timeout)
    }
}
