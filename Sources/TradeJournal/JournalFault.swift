import GRDB
import GRDBSQLite
package import TradingCore

/// The database failed: what was being done, and what SQLite said.
package struct JournalFault: Error, Equatable, CustomStringConvertible {
    package let action: String
    /// SQLite's extended result code; 0 where the fault is not SQLite's.
    package let code: Int32
    package let message: String

    package init(_ action: String, code: Int32 = 0, message: String) {
        self.action = action
        self.code = code
        self.message = message
    }

    init(_ action: String, _ error: any Error) {
        self.action = action
        switch error {
        case let error as DatabaseError:
            code = error.extendedResultCode.rawValue
            message = error.message ?? error.description
        case let fault as JournalFault:
            code = fault.code
            message = fault.message
        default:
            code = 0
            message = "\(error)"
        }
    }

    /// Whether the same write may succeed later: a full disk gets room, a lock is let go, a device comes back.
    /// A corrupt file or a broken rule of the schema does not mend itself.
    package var mayPass: Bool {
        switch code & 0xFF {
        case SQLITE_FULL, SQLITE_IOERR, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_NOMEM:
            true
        default: false
        }
    }

    /// Whether the file is damaged, or holds what no version of this program writes.
    package var needsAPerson: Bool {
        switch code & 0xFF {
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CONSTRAINT: true
        default: action == JournalFault.readingAction
        }
    }

    package var description: String { "\(action): \(message)" }
}

extension JournalFault {
    private static let readingAction = "reading the database"

    /// Rows hold what this program never wrote, or contradict each other.
    package static func unreadable(_ message: String) -> JournalFault {
        JournalFault(readingAction, message: message)
    }

    /// What is written to files that have no name any more is found by nobody.
    package static func filesAreGone(processID: Int32) -> JournalFault {
        // Only this process can still give what is in them, so it goes on.
        JournalFault(
            "using the database", code: SQLITE_IOERR,
            message: "its files were removed or replaced, and what it holds goes with this process: copy trades.db and "
                + "trades.db-wal out of /proc/\(processID)/fd first (the runbook tells how), then restore")
    }

    /// The rows of one decision contradict each other.
    package static func contradiction(_ id: ClientOrderID, _ message: String) -> JournalFault {
        unreadable("the rows of \(id) contradict each other: \(message) (see trade-executor show \(id))")
    }
}
