import GRDB
import SimulatedDisk
import TestKit
import TradeJournal

/// A worker's life on a disk, with an account of what it was told is stored.
final class Trading {
    /// Decisions whose acceptance was committed.
    private(set) var accepted: Set<String> = []
    /// Decisions whose order was committed as filled.
    private(set) var filled: Set<String> = []
    /// The first failure; the disk may be dead from then on.
    private(set) var fault: JournalFault?
    let history: TradeHistory

    init(on disk: SimulatedDisk) throws {
        history = try TradeHistory(path: disk.databasePath, start: "2026-11-22T14:00:00Z")
    }

    var journal: TradeJournal { history.journal }

    /// Executes a decision in three transactions, as far as it goes.
    func execute(_ id: String) throws {
        do {
            try history.execute(
                id,
                ending: .order(
                    TradeHistory.order("order-\(id)", client: "s:\(id)", status: "filled", filled: "10", price: "230")))
            accepted.insert(id)
            filled.insert(id)
        } catch let fault as JournalFault {
            self.fault = self.fault ?? fault
        }
    }

    /// Accepts a decision in one transaction.
    func accept(_ id: String) throws {
        do {
            try history.accept(id)
            accepted.insert(id)
        } catch let fault as JournalFault {
            self.fault = self.fault ?? fault
        }
    }

    /// What the journal must let through whatever happens to it, but faults.
    func checkpoint() {
        do throws(JournalFault) {
            try journal.checkpoint()
        } catch {
            fault = fault ?? error
        }
    }
}

/// What somebody else finds in a database, with a connection of their own.
struct Findings {
    var decisions: Set<String>
    var filled: Set<String>
    /// What `PRAGMA integrity_check` and `PRAGMA foreign_key_check` say; `["ok"]` when all is well.
    var integrity: [String]

    init(_ path: String) throws {
        self = try DatabaseQueue(path: path).inDatabase { database in
            Findings(
                decisions: try Set(String.fetchAll(database, sql: "SELECT decision_id FROM trade_decisions")),
                filled: try Set(
                    String.fetchAll(database, sql: "SELECT decision_id FROM trade_decisions WHERE status = 'executed'")),
                integrity: try String.fetchAll(database, sql: "PRAGMA integrity_check")
                    + Row.fetchAll(database, sql: "PRAGMA foreign_key_check").map(\.description))
        }
    }

    private init(decisions: Set<String>, filled: Set<String>, integrity: [String]) {
        self.decisions = decisions
        self.filled = filled
        self.integrity = integrity
    }
}
