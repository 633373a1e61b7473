import GRDB
package import HostSystem
import TradeJournal
package import TradingCore

/// Half of the room of decisions that have ended long ago, moved to a packed file: their executions, payloads
/// and orders. The decisions themselves and their outcomes stay in the database too: repeats are recognised and answered,
/// and replays are whole, as if nothing had been archived.
///
/// Nothing is deleted in place. A database without those rows is built beside the one that is there, and takes its place
/// once every single row is proven to be either in it or in the archive.
package struct Archive: Sendable {
    /// Where it is.
    package let path: String
    package let sizeInBytes: Int64
    /// Of the file, in hexadecimal digits.
    package let sha256: String
    /// How many executions it holds; with as many decisions.
    package let executions: Int64
    package let payloads: Int64
    package let orders: Int64
    /// The size of the worker's database before and after, in bytes.
    package let sizeBefore: Int64
    package let sizeAfter: Int64
    /// Where the database is as it was before; nil where it was removed.
    package let formerDatabase: String?

    /// What has ended is left alone for so long, in seconds: limits of a day and their like look at it.
    package static let youngest: Int64 = 2 * 86_400

    /// The tables whose rows go. Each names its decision.
    static let movedTables = ["api_payloads", "trade_executions", "alpaca_orders"]

    /// Archives what had ended before a moment.
    /// - Parameters:
    ///   - path: The file to make.
    ///   - directory: Whose database it is; no worker can have it meanwhile.
    ///   - keepsFormer: Whether the database as it was is kept.
    ///   - operatorName: Who does it, for the record.
    /// - Returns: Nil where there is nothing to archive.
    package static func make(
        endedBefore: Timestamp, to path: String, in directory: StateDirectory, keepsFormer: Bool,
        by operatorName: String, clock: SystemClock = SystemClock(), passing: @escaping (CopyPoint) -> Void = { _ in }
    ) throws(CopyFault) -> Archive? {
        let database = StateDirectory.databasePath(in: directory.path)
        do {
            let now = clock.now()
            guard endedBefore <= now.advanced(bySeconds: -youngest) else {
                throw CopyFault("what has ended within the last 48 hours is not archived; name an earlier time")
            }
            try CopyFault.refuseReserved(path, database)
            guard try Files.exists(database) else { throw CopyFault("there is no database at \(database)") }
            if let process = try directory.processWithOpenDatabase() {
                throw CopyFault("process \(process) has \(database) open, a sqlite3 shell perhaps; end it first")
            }
            try settle(database)
            return try ArchiveRun(
                database: database, directory: directory, endedBefore: endedBefore, operatorName: operatorName,
                now: now, passing: passing
            ).make(path, keepsFormer: keepsFormer)
        } catch {
            throw CopyFault(database, error)
        }
    }

    /// Brings the database up to date, and copies its log back into it.
    private static func settle(_ database: String) throws {
        let queue = try DatabaseQueue(path: database)
        try TradeJournal.migrate(queue)
        try queue.inDatabase { _ = try Row.fetchOne($0, sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
        try queue.close()
    }
}
