/// A text that is in force and may be changed meanwhile: the limits, the partition map.
package protocol WatchedText<Meaning> {
    associatedtype Meaning
    /// What the text in force means.
    var meaning: Meaning { get }
    /// The text in force, for the record.
    var content: [UInt8] { get }
    /// Looks whether there is another one. Cheap when there is not.
    func look() -> WatchedTextChange
}

/// What a look for another text has come to.
package enum WatchedTextChange: Equatable, Sendable {
    case unchanged
    /// What it says now is in force.
    case changed
    /// It makes no sense: what it said before stays in force. The same is said once.
    case broken(String)
}
