import Glibc
import HostSystem
import Monitoring
import TradingCore

/// What the partitions' threads have heard and the storing thread has not taken.
final class Inbox: Sendable {
    /// Something that is stored, in order.
    enum Heard: Sendable {
        case outcome(SeenOutcome)
        /// A partition's database was restored from a copy that has outcomes up to this one.
        case wentBack(partition: String, to: StreamPosition)
    }

    /// Something that is not stored.
    enum Notice: Sendable {
        case heartbeat(Heartbeat, at: MonotonicTime)
        case gap
        case replayed(Int64)
        case newStream(String)
        case unreadable
        case halts([HaltNotice])
        /// Why it is not followed at the moment; nil once it is again.
        case fault(String?)
    }

    struct Content: Sendable {
        var heard: [Heard] = []
        var notices: [(partition: String, notice: Notice)] = []
    }

    /// With so many outcomes waiting, who brings more waits. What then is lost on the way is asked for again.
    private static let heardMax = 4000
    private let content = Locked(Content())

    // Whether the sender has been stopped is looked at while nobody else can post: after that its successor may, and what
    // the sender still had, perhaps of another database, must not come after.

    /// - Returns: False, and nothing is taken, where too many wait, or the sender has been stopped.
    func post(_ heard: Heard, unless isStopped: Locked<Bool>) -> Bool {
        content.withLock { content in
            guard !isStopped.withLock(\.self), content.heard.count < Inbox.heardMax else { return false }
            content.heard.append(heard)
            return true
        }
    }

    func post(_ notice: Notice, of partition: String, unless isStopped: Locked<Bool>) {
        content.withLock { if !isStopped.withLock(\.self) { $0.notices.append((partition, notice)) } }
    }

    /// Takes the notices, and what is to be stored unless some of before is still to be stored.
    func take(heardToo: Bool) -> Content {
        content.withLock { content in
            var taken = Content()
            swap(&taken.notices, &content.notices)
            if heardToo { swap(&taken.heard, &content.heard) }
            return taken
        }
    }
}
