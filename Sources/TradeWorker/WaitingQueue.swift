import TradeJournal
import TradingCore

/// The decisions that wait for their turn, in order of acceptance: the front of the queue in memory, the rest in the
/// database, so that a long queue costs no memory.
struct WaitingQueue {
    /// In order of acceptance.
    private(set) var front: [WaitingDecision] = []
    /// Whether nothing waits in the database beyond `front`.
    private(set) var isWhole = false
    /// How many wait in all.
    private(set) var count: Int

    /// The last decision that a process before this one accepted.
    private let lastFromBefore: DecisionRow?

    /// Beyond this, decisions wait in the database only.
    private static let frontMax = 16_384
    private static let pageSize = 256

    init(_ journal: TradeJournal) throws(JournalFault) {
        count = try journal.countWaiting()
        lastFromBefore = try journal.lastDecision()
        try readOn(journal)
    }

    /// Whether more can be read from the database into the front.
    var canReadOn: Bool { !isWhole && front.count < WaitingQueue.frontMax }

    /// Reads the next page from the database into the front.
    mutating func readOn(_ journal: TradeJournal) throws(JournalFault) {
        guard front.count < WaitingQueue.frontMax else { return }
        let page = try journal.waitingDecisions(
            after: front.last?.row, limit: WaitingQueue.pageSize, lastFromBefore: lastFromBefore)
        front.append(contentsOf: page)
        isWhole = page.count < WaitingQueue.pageSize
    }

    /// Takes note of decisions that were accepted, and of those that were sent or refused, once that is durable.
    mutating func apply(accepted: [WaitingDecision], ended: Set<DecisionRow>) {
        count += accepted.count - ended.count
        if !ended.isEmpty {
            // Nearly always it is the first one that ended.
            if ended.count == 1, let first = front.first, ended.contains(first.row) {
                front.removeFirst()
            } else {
                front.removeAll { ended.contains($0.row) }
            }
        }
        guard isWhole else { return }
        for decision in accepted where !ended.contains(decision.row) {
            guard front.count < WaitingQueue.frontMax else {
                isWhole = false
                return
            }
            front.append(decision)
        }
    }
}
