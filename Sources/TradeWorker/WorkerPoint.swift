/// The points of a turn at which a process can die with a difference: what is durable, or what the outside has seen,
/// changes from one to the next. Recovery is tested by dying at each of them.
package enum WorkerPoint: String, CaseIterable, Sendable {
    /// Messages and answers were taken in; nothing of them is stored.
    case received
    /// All of the turn is written, and not committed.
    case written
    /// It is committed; nobody has been told.
    case committed
    /// An outcome was handed to the topic.
    case published
    /// The intent is durable, the request is about to leave.
    case beforePost = "before_post"
    /// The request was handed to the network.
    case posted
    /// An acknowledgement was handed to its publisher.
    case replied
    /// A question was handed to the network.
    case asked
}

/// Is told of every point that is passed. In production nobody is.
package protocol WorkerProbe {
    func pass(_ point: WorkerPoint)
}

package struct NoProbe: WorkerProbe {
    package init() {}
    package func pass(_ point: WorkerPoint) {}
}
