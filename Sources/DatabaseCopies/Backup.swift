import GRDB
package import HostSystem
import TradeJournal
package import TradingCore

/// A copy of a worker's database, taken while it runs or while it does not: whole, of one moment, and one file.
package struct Backup: Sendable {
    package let path: String
    package let sizeInBytes: Int64
    /// Of the file, in hexadecimal digits.
    package let sha256: String
    package let takenAt: Timestamp
    package let contents: DatabaseContents

    /// How much is copied at a time: so little that a worker that waits for the same disk hardly notices.
    private static let pagesPerStep: Int32 = 256

    /// Takes a copy.
    /// - Parameters:
    ///   - databasePath: The worker's database.
    ///   - path: The file to make.
    ///   - mayReplace: Whether it may take the place of a file that is there.
    package static func take(
        of databasePath: String, to path: String, mayReplace: Bool, clock: SystemClock = SystemClock(),
        passing: (CopyPoint) -> Void = { _ in }
    ) throws(CopyFault) -> Backup {
        do {
            guard try Files.exists(databasePath) else {
                throw CopyFault(
                    "there is no database at \(databasePath): no worker has run there yet; check --state-dir and "
                        + "--partition")
            }
            guard !Files.areSame(databasePath, path) else { throw CopyFault("\(path) is the worker's own database") }
            try CopyFault.refuseReserved(path, databasePath)
            if try Files.exists(path) {
                guard mayReplace else {
                    throw CopyFault("\(path) is there already; choose another name, or say --force to replace it")
                }
                try Files.checkIsFile(path)
            }
            let file = try UnfinishedFile(path)
            do {
                return try take(of: databasePath, as: file, mayReplace: mayReplace, clock, passing)
            } catch {
                // Half a copy is of no use to anybody.
                try file.discard()
                throw error
            }
        } catch {
            throw CopyFault(path, error)
        }
    }

    private static func take(
        of databasePath: String, as file: UnfinishedFile, mayReplace: Bool, _ clock: SystemClock,
        _ passing: (CopyPoint) -> Void
    ) throws -> Backup {
        let takenAt = clock.now()
        let contents = try copy(databasePath, to: file)
        passing(.backupCopied)
        let copied = try finish(file.temporaryPath, takenAt: takenAt)
        guard copied.isAsMuch(as: contents) else { throw CopyFault("the copy is not what was copied; try again") }
        try file.sync()
        passing(.backupSynced)
        let digest = try SHA256.digest(of: file.temporaryPath)
        let size = try Files.size(of: file.temporaryPath) ?? 0
        try file.publish(mayReplace: mayReplace)
        passing(.backupNamed)
        return Backup(
            path: file.path, sizeInBytes: size, sha256: digest, takenAt: takenAt, contents: copied)
    }

    /// Copies the pages as they are at one moment, whatever is written meanwhile.
    private static func copy(_ databasePath: String, to file: UnfinishedFile) throws -> DatabaseContents {
        var reading = Configuration()
        reading.label = "backup"
        reading.readonly = true
        // A worker that starts or stops holds the database for a moment.
        reading.busyMode = .timeout(5)
        let source = try DatabaseQueue(path: databasePath, configuration: reading)
        let target = try DatabaseQueue(path: file.temporaryPath)
        try target.inDatabase { database in
            // What is cut short is thrown away, and the file is synced before it gets its name.
            try database.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        }
        let contents = try source.read { database in
            // The first read fixes the moment; without it, each commit of the worker would begin the copy anew.
            let contents = try DatabaseContents(readingFrom: database)
            try target.writeWithoutTransaction { copy in
                try database.backup(to: copy, pagesPerStep: pagesPerStep) { _ in try file.sync() }
            }
            return contents
        }
        try target.close()
        try source.close()
        return contents
    }

    /// Makes one file of it that says when it was taken, and checks all of it.
    private static func finish(_ path: String, takenAt: Timestamp) throws -> DatabaseContents {
        let copy = try DatabaseQueue(path: path)
        let contents = try copy.inDatabase { database in
            // Without a log it needs no other files beside it, and can be read where nothing can be written.
            try database.execute(sql: "PRAGMA journal_mode = DELETE")
            if try database.columns(in: "database_identity").contains(where: { $0.name == "copied_at" }) {
                try database.execute(
                    sql: "UPDATE database_identity SET copied_at = ?", arguments: [takenAt.text])
            }
            try DatabaseContents.checkSoundness(of: database)
            return try DatabaseContents(readingFrom: database)
        }
        try copy.close()
        return contents
    }
}
