import GRDB
import HostSystem
import TradeJournal
import TradingCore

/// One archiving, step by step. Until the next database has its name, the one in place is as it was; whoever dies before
/// leaves files that the next run removes or replaces.
struct ArchiveRun {
    let database: String
    let directory: StateDirectory
    let endedBefore: Timestamp
    let operatorName: String
    let now: Timestamp
    let passing: (CopyPoint) -> Void

    /// Which decisions: their attempt and its order have ended, and nothing was learned of them since. The newest rows
    /// stay, so that no number is given twice.
    private func selection(_ schema: String) -> String {
        let newest = Archive.movedTables.map {
            "SELECT trade_decision_id FROM \(schema).\($0) WHERE id = (SELECT max(id) FROM \(schema).\($0))"
        }.joined(separator: " UNION ")
        return """
            SELECT d.id FROM \(schema).trade_decisions d
            JOIN \(schema).trade_executions e ON e.trade_decision_id = d.id
            WHERE (d.status = 'executed' OR d.status = 'failed') AND d.updated_at < '\(endedBefore.text)'
                AND e.updated_at < '\(endedBefore.text)' AND (e.certainty = 'answered' OR e.certainty = 'not_sent')
                AND e.legs_open = 0 AND d.archive_id IS NULL AND d.id NOT IN (\(newest))
            """
    }

    func make(_ path: String, keepsFormer: Bool) throws -> Archive? {
        let hasWork = try withDatabases([(database, "live")]) { database in
            try Bool.fetchOne(database, sql: "SELECT EXISTS (\(selection("live")))")
        }
        guard hasWork == true else { return nil }
        let mayReplace = try isLeftByADeadRun(path)
        let packed = try UnfinishedFile(path)
        do {
            try pack(into: packed)
        } catch {
            try packed.discard()
            throw error
        }
        let unpacked = try directory.workingDatabase()
        let next: UnfinishedFile
        do {
            next = try directory.nextDatabase(at: now)
        } catch {
            try packed.discard()
            try unpacked.discard()
            throw error
        }
        do {
            // From here on, what is looked at is what will be read one day.
            try Gzip.unpack(packed.temporaryPath, into: unpacked)
            try checkArchive(unpacked.temporaryPath)
            try packed.sync()
            passing(.archiveChecked)
            let sha256 = try SHA256.digest(of: packed.temporaryPath)
            try packed.giveToOwner(of: directory.path)
            try packed.publish(mayReplace: mayReplace)
            passing(.archiveNamed)
            let counts = try buildNext(
                next.temporaryPath, besides: unpacked.temporaryPath, Files.realPath(path), sha256: sha256)
            passing(.archiveNextChecked)
            try unpacked.discard()
            let (before, after) = (try Files.size(of: database), try Files.size(of: next.temporaryPath))
            try next.publish(mayReplace: false)
            passing(.nextNamed)
            var former = try directory.finishExchange(passing: passing)
            if let moved = former, !keepsFormer {
                try directory.removeFormer(moved)
                former = nil
            }
            passing(.formerRemoved)
            return Archive(
                path: path, sizeInBytes: try Files.size(of: path) ?? 0, sha256: sha256,
                executions: counts["trade_executions"] ?? 0, payloads: counts["api_payloads"] ?? 0,
                orders: counts["alpaca_orders"] ?? 0, sizeBefore: before ?? 0, sizeAfter: after ?? 0,
                formerDatabase: former)
        } catch {
            // None of them where it has its name already.
            for file in [packed, unpacked, next] { try file.discard() }
            throw error
        }
    }

    /// Builds the archive as a database, and packs it.
    private func pack(into packed: UnfinishedFile) throws {
        let built = try directory.workingDatabase()
        do {
            try withNew(built.temporaryPath, attaching: [(database, "live")]) { database in
                let attached = AttachedDatabases(database: database)
                try database.execute(sql: "CREATE TEMP TABLE chosen AS \(selection("live"))")
                try attached.copy("database_identity", from: "live", to: "main")
                try database.execute(
                    sql: "UPDATE main.database_identity SET copied_at = ?, archived_before = ?",
                    arguments: [now.text, endedBefore.text])
                try attached.copy("trade_decisions", from: "live", to: "main", where: "id IN chosen")
                for table in Archive.movedTables + ["outcomes"] {
                    try attached.copy(table, from: "live", to: "main", where: "trade_decision_id IN chosen")
                }
            }
            passing(.archiveBuilt)
            try Gzip.pack(built.temporaryPath, into: packed)
            try built.discard()
        } catch {
            try built.discard()
            throw error
        }
    }

    /// Whether the archive is sound, and has nothing that the database does not have.
    private func checkArchive(_ archive: String) throws {
        try withDatabases([(archive, "archive"), (database, "live")]) { database in
            let attached = AttachedDatabases(database: database)
            try DatabaseContents.checkSoundness(of: database, schema: "archive")
            for table in Archive.movedTables + ["trade_decisions", "outcomes"] {
                guard try attached.countMissing(table, of: "archive", in: ["live"], except: "archive_id") == 0 else {
                    throw CopyFault("the archive is not as the database; nothing was changed, try again")
                }
            }
        }
    }

    /// Builds the database without what is archived, and proves that nothing is lost.
    /// - Returns: How many rows of each table are in the archive.
    private func buildNext(
        _ next: String, besides archive: String, _ archivePath: String, sha256: String
    ) throws -> [String: Int64] {
        try withNew(next, attaching: [(database, "live"), (archive, "archive")]) { database in
            let attached = AttachedDatabases(database: database)
            for table in try DatabaseContents.tables(of: database, schema: "live") {
                let isMoved = Archive.movedTables.contains(table)
                try attached.copy(
                    table, from: "live", to: "main",
                    where: isMoved ? "trade_decision_id NOT IN (SELECT id FROM archive.trade_decisions)" : "true")
            }
            try database.execute(
                sql: """
                    INSERT INTO main.archives (archived_at, by_whom, ended_before, file, file_sha256, executions)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    now.text, operatorName, endedBefore.text, archivePath, sha256,
                    try attached.count("trade_executions", in: "archive"),
                ])
            try database.execute(
                sql: """
                    UPDATE main.trade_decisions SET archive_id = (SELECT max(id) FROM main.archives)
                    WHERE id IN (SELECT id FROM archive.trade_decisions)
                    """)
        }
        return try withDatabases([(next, "next"), (database, "live"), (archive, "archive")]) { database in
            let attached = AttachedDatabases(database: database)
            try DatabaseContents.checkSoundness(of: database, schema: "next")
            var archived: [String: Int64] = [:]
            for table in try DatabaseContents.tables(of: database, schema: "live") {
                let isMoved = Archive.movedTables.contains(table)
                let missing = try attached.countMissing(
                    table, of: "live", in: isMoved ? ["next", "archive"] : ["next"],
                    except: table == "trade_decisions" ? "archive_id" : nil)
                let inArchive = isMoved ? try attached.count(table, in: "archive") : table == "archives" ? -1 : 0
                let total = try attached.count(table, in: "next") + inArchive
                guard missing == 0, total == (try attached.count(table, in: "live")) else {
                    throw CopyFault("rows of \(table) would be lost or doubled; the database was not changed")
                }
                if isMoved { archived[table] = inArchive }
            }
            return archived
        }
    }

    /// Whether a file that is there was left by a run that died before its database took its place: all that it holds is
    /// still in the database. Any other is not replaced.
    private func isLeftByADeadRun(_ path: String) throws -> Bool {
        guard try Files.exists(path) else { return false }
        let taken = CopyFault("\(path) is there already; choose another name with --to")
        let realPath = try Files.realPath(path)
        let isOnRecord = try withDatabases([(database, "live")]) { database in
            try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM live.archives WHERE file = ?)", arguments: [realPath])
        }
        if isOnRecord ?? true { throw taken }
        do {
            let archive = try ArchiveFile(path)
            let isOurs = try withDatabases([(archive.path, "archive"), (database, "live")]) { database in
                try Bool.fetchOne(
                    database,
                    sql: """
                        SELECT archive.archived_before IS NOT NULL AND archive.stream = live.stream
                        FROM archive.database_identity archive, live.database_identity live
                        """)
            }
            guard isOurs == true else { throw taken }
            try checkArchive(archive.path)
        } catch {
            throw taken
        }
        return true
    }

    // MARK: Connections

    /// Makes a database with our tables, and fills it.
    private func withNew<Value>(
        _ path: String, attaching others: [(path: String, name: String)], _ fill: (Database) throws -> Value
    ) throws -> Value {
        var configuration = Configuration()
        // All rows are checked in the end; meanwhile some come before those that they name.
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try TradeJournal.migrate(queue)
        let value = try queue.inDatabase { database in
            // What is cut short is thrown away, and the file is synced before it gets its name.
            try database.execute(
                sql: """
                    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;
                    DELETE FROM database_identity
                    """)
            for other in others {
                try database.execute(sql: "ATTACH ? AS \(other.name)", arguments: [other.path])
            }
            var value: Value?
            try database.inTransaction(.immediate) {
                value = try fill(database)
                return .commit
            }
            for other in others { try database.execute(sql: "DETACH \(other.name)") }
            try database.execute(sql: "PRAGMA journal_mode = DELETE")
            return value
        }
        try queue.close()
        guard let value else { preconditionFailure("a transaction that is committed has run its body") }
        return value
    }

    /// Reads several databases at once.
    private func withDatabases<Value>(
        _ databases: [(path: String, name: String)], _ body: (Database) throws -> Value
    ) throws -> Value {
        let queue = try DatabaseQueue()
        return try queue.inDatabase { database in
            for one in databases { try database.execute(sql: "ATTACH ? AS \(one.name)", arguments: [one.path]) }
            return try body(database)
        }
    }
}
