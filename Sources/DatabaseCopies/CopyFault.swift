import GRDB
import HostSystem
import TradeJournal

/// Why a copy cannot be made, or not be used: one line that says what and what to do.
package struct CopyFault: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// - Parameter path: The file at hand.
    init(_ path: String, _ error: any Error) {
        switch error {
        case let fault as CopyFault: self = fault
        case let error as DatabaseError where error.resultCode == .SQLITE_FULL:
            self.init("\(path) cannot be written: the disk is full; make room, or write to another disk")
        case let error as DatabaseError: self.init("\(path): \(error.message ?? error.description)")
        default: self.init("\(error)")
        }
    }
}
