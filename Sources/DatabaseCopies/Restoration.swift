import GRDB
package import HostSystem
import TradeJournal
package import TradingCore

/// A copy put in the place of a worker's database, as a new history that begins halted.
package struct Restoration: Sendable {
    /// The copy.
    package let file: String
    /// Of the copy, in hexadecimal digits.
    package let sha256: String
    package let at: Timestamp
    /// When the copy was taken; nil where it does not say.
    package let copiedAt: String?
    package let formerStream: String
    /// What was restored, under the stream that began here.
    package let contents: DatabaseContents
    /// Where the database is that was there before; nil where there was none.
    package let formerDatabase: String?

    /// The copy is restored, but for its place: the next that locks the directory, be it a worker or this again, gives it
    /// that.
    package struct Unfinished: Error, CustomStringConvertible {
        package let description: String
    }

    /// Restores a copy.
    ///
    /// Throws a `CopyFault` where nothing was restored, and `Unfinished` where it was.
    /// - Parameters:
    ///   - file: The copy: one file, with no log beside it.
    ///   - directory: Where it goes; no worker can have it meanwhile.
    ///   - movesAside: Whether a database that is there is moved aside; otherwise it is an error.
    ///   - operatorName: Who does it, for the record.
    package static func restore(
        _ file: String, in directory: StateDirectory, movesAside: Bool, by operatorName: String,
        clock: SystemClock = SystemClock(), passing: (CopyPoint) -> Void = { _ in }
    ) throws -> Restoration {
        do {
            let now = clock.now()
            try check(file, directory)
            let database = StateDirectory.databasePath(in: directory.path)
            if try Files.exists(database) {
                // Who ran it before may have died after the exchange, which whoever locks the directory finishes.
                if let before = try standing(database, from: try Files.realPath(file)) {
                    try halt(directory, because: before.file, copiedAt: before.copiedAt, by: operatorName, at: now)
                    return before
                }
                guard movesAside else {
                    throw CopyFault(
                        "there is a database already, \(database). Say --move-aside to restore all the same: it is then "
                            + "renamed to \(database).before-TIME, with its log, and never deleted")
                }
            }
            let next = try directory.nextDatabase(at: now)
            do {
                return try restore(
                    try Files.realPath(file), in: directory, as: next, by: operatorName, at: now, passing)
            } catch let unfinished as Unfinished {
                throw unfinished
            } catch {
                try next.discard()
                throw error
            }
        } catch let unfinished as Unfinished {
            throw unfinished
        } catch {
            throw CopyFault(file, error)
        }
    }

    private static func check(_ file: String, _ directory: StateDirectory) throws {
        guard try Files.exists(file) else { throw CopyFault("there is no file \(file)") }
        try Files.checkIsFile(file)
        let database = StateDirectory.databasePath(in: directory.path)
        guard !Files.areSame(file, database) else {
            throw CopyFault("\(file) is the database of this directory itself")
        }
        // What is in a log is not in the file. It is beside the file itself, wherever a link to that may be.
        let real = try Files.realPath(file)
        for log in [real + "-wal", real + "-journal"] {
            guard let size = try Files.size(of: log), size > 0 else { continue }
            let name = log.hasSuffix("-wal") ? "trades.db-wal" : "trades.db-journal"
            throw CopyFault(
                "\(file) is not a finished copy: beside it is a log, \(log), with what is not in it yet. Make one "
                    + "file of both first: put both in a directory as trades.db and \(name), and run "
                    + "`trade-executor backup --state-dir` on that")
        }
        if let process = try directory.processWithOpenDatabase() {
            throw CopyFault(
                "process \(process) has \(database) open, a sqlite3 shell perhaps; end it first, since it would take "
                    + "the log of the restored database for its own")
        }
    }

    /// The restoration that the database in place came from, where it is one of this very file and nothing has been
    /// taken or told since; nil otherwise.
    private static func standing(_ database: String, from file: String) throws -> Restoration? {
        var reading = Configuration()
        reading.readonly = true
        let found: (row: Row, contents: DatabaseContents)?
        do {
            found = try DatabaseQueue(path: database, configuration: reading).read { database in
                let row = try Row.fetchOne(database, sql: "SELECT * FROM restorations ORDER BY id DESC LIMIT 1")
                let newest = try String.fetchOne(
                    database, sql: "SELECT received_at FROM trade_decisions ORDER BY id DESC LIMIT 1")
                let contents = try DatabaseContents(readingFrom: database)
                guard let row, row["last_seq"] == contents.lastSeq, newest ?? "" < row["restored_at"] else {
                    return nil
                }
                return (row, contents)
            }
        } catch is DatabaseError {
            // Damaged perhaps, which is why it is restored; or from before there were restorations.
            return nil
        }
        guard let (row, contents) = found, let at = Timestamp(row["restored_at"] as String) else { return nil }
        let sha256 = try SHA256.digest(of: file)
        guard row["file_sha256"] == sha256 else { return nil }
        return Restoration(
            file: file, sha256: sha256, at: at, copiedAt: row["copied_at"], formerStream: row["former_stream"],
            contents: contents, formerDatabase: nil)
    }

    private static func restore(
        _ file: String, in directory: StateDirectory, as next: UnfinishedFile, by operatorName: String,
        at now: Timestamp, _ passing: (CopyPoint) -> Void
    ) throws -> Restoration {
        try Files.forEachPiece(of: file) { (piece) throws(SystemError) in try next.append(piece) }
        passing(.restoreCopied)
        // Of what is restored, whatever has become of the file meanwhile.
        let sha256 = try SHA256.digest(of: next.temporaryPath)
        let (copy, contents) = try prepare(next.temporaryPath) { database, copy in
            try database.execute(
                sql: """
                    INSERT INTO restorations (restored_at, by_whom, file, file_sha256, copied_at, last_seq,
                        former_stream, stream)
                    SELECT ?, ?, ?, ?, ?, ?, ?, stream FROM database_identity
                    """,
                arguments: [now.text, operatorName, file, sha256, copy.copiedAt, copy.lastSeq, copy.stream])
        }
        passing(.restorePrepared)
        try halt(directory, because: file, copiedAt: copy.copiedAt, by: operatorName, at: now)
        passing(.restoreHalted)
        let former: String?
        do {
            try next.publish(mayReplace: false)
            passing(.nextNamed)
            former = try directory.finishExchange(passing: passing)
        } catch {
            // Whoever locks the directory next finishes what has its name.
            guard
                try Files.exists(next.path)
                    || standing(StateDirectory.databasePath(in: directory.path), from: file) != nil
            else { throw error }
            throw Unfinished(description: "\(error)")
        }
        return Restoration(
            file: file, sha256: sha256, at: now, copiedAt: copy.copiedAt, formerStream: copy.stream,
            contents: contents, formerDatabase: former)
    }

    /// Checks the copy, brings its tables up to date, and begins a new stream in it: what happened after it was taken
    /// is not in it, so its next outcomes get numbers that were given before.
    /// - Parameter record: Adds to the transaction that begins the stream.
    private static func prepare(
        _ path: String, record: (Database, DatabaseContents) throws -> Void
    ) throws -> (copy: DatabaseContents, restored: DatabaseContents) {
        let queue = try DatabaseQueue(path: path)
        let copy = try queue.inDatabase { database in
            // One file, whose parts cannot be parted.
            try database.execute(sql: "PRAGMA journal_mode = DELETE")
            try DatabaseContents.checkSoundness(of: database)
            let contents = try DatabaseContents(readingFrom: database)
            guard contents.archivedBefore == nil else {
                throw CopyFault("it is an archive, which holds decisions that have ended and no others")
            }
            return contents
        }
        try TradeJournal.migrate(queue)
        let restored = try queue.write { database in
            try database.execute(
                sql: "UPDATE database_identity SET stream = lower(hex(randomblob(8))), copied_at = NULL")
            try record(database, copy)
            return try DatabaseContents(readingFrom: database)
        }
        try queue.close()
        return (copy, restored)
    }

    /// Nobody trades on what is restored before somebody has looked.
    private static func halt(
        _ directory: StateDirectory, because file: String, copiedAt: String?, by operatorName: String,
        at now: Timestamp
    ) throws {
        let taken = copiedAt.map { " of \($0)" } ?? ""
        let halt = Halt(
            .all, hold: true,
            reason: HaltEvent.clipped("restored from the copy\(taken), \(file): look before you resume"),
            by: operatorName, at: now)
        try HaltFiles(in: directory).write(halt)
        try HaltHistory(stateDirectory: directory.path).append(HaltEvent(halt, at: now))
    }
}
