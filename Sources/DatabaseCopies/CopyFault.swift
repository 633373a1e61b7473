import GRDB
import HostSystem
import TradeJournal

/// Why a copy cannot be made, or not be used: one line that says what and what to do.
package struct CopyFault: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// Throws for a name that a copy must not have.
    static func refuseReserved(_ path: String, _ databasePath: String) throws(CopyFault) {
        guard !StateDirectory.isReserved(path, for: databasePath) else {
            throw CopyFault("names that begin with trades.db are the database's own in its directory; choose another")
        }
    }

    /// - Parameter path: The file at hand.
    init(_ path: String, _ error: any Error) {
        switch error {
        case let fault as CopyFault: self = fault
        case let error as DatabaseError where error.resultCode == .SQLITE_FULL:
            self.init("\(path) cannot be written: the disk is full; make room, or write to another disk")
        case let error as DatabaseError: self.init("\(path): \(error.message ?? error.description)")
        case let error as SystemError where error.isOfMissingDirectory:
            self.init("\(error); make the directory first, or choose another")
        default: self.init("\(error)")
        }
    }
}
