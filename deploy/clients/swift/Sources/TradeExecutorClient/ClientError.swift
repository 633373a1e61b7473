public enum ClientError: Error, Sendable {
    /// The worker does not take a message; this is its answer, with `code`, `field`, `message` and `retry`. Nothing of a
    /// refused decision reaches the broker. One exception: with the code `storage_failed` it is not known; the same
    /// decision, published again, gives the answer.
    case refused(JSON)
    /// The time is over. Whether the worker has the decision is not known: publish the same one again, never another
    /// one in its place.
    case noAnswer
    /// What answers is no worker, or what was given is no decision.
    case unreadable(String)
    /// ZeroMQ failed.
    case socket(String)
    /// A file cannot be read or written.
    case file(String)

    /// Whether the same may be taken later.
    public var isWorthRetrying: Bool {
        switch self {
        case .refused(let answer): answer["retry"]?.bool == true
        case .noAnswer: true
        case .unreadable, .socket, .file: false
        }
    }

    /// With the code `wrong_partition`: the intake of the worker that serves the strategy, where it is known.
    public var endpoint: String? {
        guard case .refused(let answer) = self else { return nil }
        return answer["endpoint"]?.string
    }
}
