import Glibc
import HostSystem
import Monitoring
import TradingCore

/// What the partitions' threads have heard and the storing thread has not taken.
final class Inbox: Sendable {
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
        var outcomes: [SeenOutcome] = []
        var notices: [(partition: String, notice: Notice)] = []
    }

    /// With so many outcomes waiting, who brings more waits. What then is lost on the way is asked for again.
    private static let outcomesMax = 4000
    private let content = Locked(Content())

    /// - Returns: False, and nothing is taken, where too many wait.
    func post(_ outcome: SeenOutcome) -> Bool {
        content.withLock { content in
            guard content.outcomes.count < Inbox.outcomesMax else { return false }
            content.outcomes.append(outcome)
            return true
        }
    }

    func post(_ notice: Notice, of partition: String) {
        content.withLock { $0.notices.append((partition, notice)) }
    }

    /// Takes the notices, and the outcomes unless those of before are still to be stored.
    func take(outcomesToo: Bool) -> Content {
        content.withLock { content in
            var taken = Content()
            swap(&taken.notices, &content.notices)
            if outcomesToo { swap(&taken.outcomes, &content.outcomes) }
            return taken
        }
    }
}
