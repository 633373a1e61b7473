/// How decisions are sent.
package enum LoadShape: Equatable, Sendable {
    /// All at once.
    case backlog
    /// At most so many without an outcome: the next is sent when one of them has come.
    case closedLoop(window: Int)
    /// So many a second, each at its own time, whatever has become of those before.
    case openLoop(perSecond: Double)

    /// When a decision is due, in nanoseconds after the first; nil where that depends on those before.
    func dueOffset(of index: Int) -> Int64? {
        switch self {
        case .backlog: 0
        case .closedLoop: nil
        case .openLoop(let perSecond): Int64(Double(index) * 1_000_000_000 / perSecond)
        }
    }
}
