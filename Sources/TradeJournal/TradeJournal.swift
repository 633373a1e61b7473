import CSQLite
package import GRDB
import GRDBSQLite
import TradingCore

/// The worker's database, `trades.db`: everything that must outlive the process. Its writes are durable when `write`
/// returns, and only then.
///
/// Used from one thread. The commands read the same file through `TradeRecords`.
package final class TradeJournal {
    /// The random id made with the database; another one means another history.
    package let stream: String
    /// Whether this history began with a restoration: a worker may have sent what came after the copy was taken, of which
    /// nothing is known here.
    package let isRestored: Bool
    private let queue: DatabaseQueue
    let statements: Statements
    private let connection: OpaquePointer
    /// How many commits have changed something since the log was last copied back by `checkpoint()`.
    package private(set) var commitsInLog = 0
    /// Why nothing may be written any more, though SQLite would; nil while all is well.
    package var unusable: JournalFault?
    /// The counters of the outcomes, kept in step with the table.
    var counters: OutcomeCounters

    /// Opens the database, making it where there is none.
    /// - Parameter path: The file. Its directory must exist.
    /// - Throws: When it cannot be opened, is from a newer version, or is not as durable as promised.
    package init(path: String) throws(JournalFault) {
        GatheringFileSystem.install()
        do {
            let queue = try DatabaseQueue(path: path, configuration: TradeJournal.configuration)
            try TradeJournal.checkDurability(of: queue)
            try TradeJournal.migrate(queue)
            try queue.inDatabase(TradeJournal.settleLog)
            // Nothing of a transaction is written before its commit, so nothing of one that was taken back is ever left.
            try queue.inDatabase { try $0.execute(sql: "PRAGMA cache_spill = OFF") }
            self.queue = queue
            (statements, connection, stream, isRestored, counters) = try queue.inDatabase { database in
                guard let connection = database.sqliteConnection else {
                    preconditionFailure("a database that is open has a connection")
                }
                let identity = try Row.fetchOne(database, sql: "SELECT stream, copied_at FROM database_identity")
                guard let identity, let stream = identity["stream"] as String? else {
                    throw JournalFault.unreadable("database_identity is empty")
                }
                // Its outcomes would get numbers that subscribers have seen, and take for old.
                if let copiedAt = identity["copied_at"] as String? {
                    throw JournalFault(
                        "opening the database",
                        message: "it is a copy that was taken at \(copiedAt), and not restored; move it elsewhere, "
                            + "and put it in its place with `trade-executor restore`")
                }
                let isRestored = try Bool.fetchOne(
                    database, sql: "SELECT EXISTS (SELECT 1 FROM restorations WHERE stream = ?)", arguments: [stream])
                let counters = try OutcomeCounters(readingFrom: database)
                let statements = try Statements(database)
                TradeJournal.leaveQueue(connection)
                return (statements, connection, stream, isRestored ?? false, counters)
            }
        } catch let fault as JournalFault {
            throw fault
        } catch {
            throw JournalFault("opening \(path)", error)
        }
    }

    /// Lets SQLite keep no statistics of its memory, which takes a lock at every allocation. Has an effect before the
    /// process opens its first database only.
    package static func spareStatistics() {
        let code = csqlite_keep_no_memory_statistics()
        precondition(code == SQLITE_OK || code == SQLITE_MISUSE, "SQLite knows this setting")
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "trades"
        // Somebody's sqlite3 shell may hold the lock for a moment; longer, and publishers are told to try again.
        configuration.busyMode = .timeout(0.25)
        configuration.prepareDatabase { database in
            // GRDB's own journal mode setting would set synchronous back to NORMAL.
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = FULL")
            // In KiB. Twice SQLite's own: the inner pages of the indexes of a million trades stay in it.
            try database.execute(sql: "PRAGMA cache_size = -4000")
            // In pages, 16 MB. The worker copies the log back in quiet moments; this is for when there are none.
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
        }
        return configuration
    }

    private static func checkDurability(of queue: DatabaseQueue) throws {
        let (mode, synchronous, isReadOnly) = try queue.inDatabase { database in
            (
                try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                sqlite3_db_readonly(database.sqliteConnection, "main") != 0
            )
        }
        // SQLite is content with a file that it may only read, and stays so when the disk can be written again.
        guard !isReadOnly else {
            throw JournalFault(
                "opening the database", code: SQLITE_READONLY,
                message: "it can only be read; is the disk mounted read-only, or the file another user's?")
        }
        guard mode == "wal", synchronous == 2 else {
            throw JournalFault(
                "opening the database",
                message: "it runs with journal_mode \(mode ?? "?") and synchronous \(synchronous ?? -1), "
                    + "but only wal and 2 (FULL) keep what is acknowledged; is the file system unusual?")
        }
    }

    /// Runs `body`, and calls `tell` many times a second as long as SQLite is busy with it; not while it syncs the disk.
    func whileBusy<Value>(
        _ tell: @escaping () -> Void, _ body: () throws(JournalFault) -> Value
    ) throws(JournalFault) -> Value {
        let teller = Teller(tell)
        let call: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { teller in
            if let teller { Unmanaged<Teller>.fromOpaque(teller).takeUnretainedValue().tell() }
            return 0
        }
        sqlite3_progress_handler(connection, 2_000, call, Unmanaged.passUnretained(teller).toOpaque())
        defer {
            sqlite3_progress_handler(connection, 0, nil, nil)
            withExtendedLifetime(teller) {}
        }
        return try body()
    }

    private final class Teller {
        let tell: () -> Void
        init(_ tell: @escaping () -> Void) { self.tell = tell }
    }

    /// Reads the numbers of a strategy's outcomes again.
    func readCounter(of strategy: StrategyName) throws(JournalFault) {
        let last = try integer("SELECT max(strategy_seq) FROM outcomes WHERE strategy_name = '\(strategy)'")
        if let last { counters.set(last, of: strategy) }
    }

    /// Brings the tables of a database up to date.
    /// - Throws: Also where it is from a newer version.
    package static func migrate(_ queue: DatabaseQueue) throws {
        let migrator = Schema.migrator
        if try queue.inDatabase({ try migrator.hasBeenSuperseded($0) }) {
            throw JournalFault(
                "opening the database",
                message: "it was written by a newer version of trade-executor; run that version, "
                    + "or restore the copy made before the upgrade")
        }
        try migrator.migrate(queue)
    }

    /// Copies the log that the process before this one has left into the database, and begins a new one.
    ///
    /// After a sync that failed, Linux takes what did not reach the disk for written. Whoever died then has left a log
    /// that reads well and is not on the disk, and all that is appended to it would be lost with it when the power
    /// fails. What is copied is written and synced anew. (Source: "fsync failures" at the PostgreSQL wiki,
    /// https://wiki.postgresql.org/wiki/Fsync_Errors.)
    private static func settleLog(_ database: Database) throws {
        let connection = database.sqliteConnection
        let code = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        // Somebody reads the database just now. Waiting for a reader that never ends would be worse.
        guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else {
            throw JournalFault(
                "opening the database", code: sqlite3_extended_errcode(connection),
                message: String(cString: sqlite3_errmsg(connection)))
        }
    }

    /// Runs SQL that is not on the path of a decision.
    func execute(_ sql: String) throws(JournalFault) {
        guard sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK else { throw fault() }
    }

    /// The one number that a query returns; nil for NULL.
    func integer(_ sql: String) throws(JournalFault) -> Int64? {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(connection, sql, -1, &statement, nil) == SQLITE_OK else { throw fault() }
        defer { sqlite3_finalize(statement) }
        guard sqlite3_step(statement) == SQLITE_ROW else { throw fault() }
        return sqlite3_column_type(statement, 0) == SQLITE_NULL ? nil : sqlite3_column_int64(statement, 0)
    }

    private func fault() -> JournalFault {
        JournalFault(
            "using the database", code: sqlite3_extended_errcode(connection),
            message: String(cString: sqlite3_errmsg(connection)))
    }

    // MARK: Writing

    /// Runs `body` in one transaction and commits it durably. When anything fails, nothing of it has happened.
    package func write<Value>(
        _ body: (borrowing JournalTransaction) throws(JournalFault) -> Value
    ) throws(JournalFault) -> Value {
        if let unusable { throw unusable }
        try statements.begin.run()
        let countersBefore = counters
        let changesBefore = sqlite3_total_changes(connection)
        do throws(JournalFault) {
            let value = try body(JournalTransaction(statements: statements, journal: self))
            try statements.commit.run()
            if sqlite3_total_changes(connection) != changesBefore { commitsInLog += 1 }
            return value
        } catch {
            // Some failures, a full disk among them, have ended the transaction already.
            if sqlite3_get_autocommit(connection) == 0 { try statements.rollback.run() }
            counters = countersBefore
            throw error
        }
    }

    /// From here on SQLite is called without GRDB, whose queue and hooks would cost every commit some hundred calls, most
    /// of them cold when trades are rare. GRDB has opened and migrated the database, has made the statements, and closes
    /// it all.
    private static func leaveQueue(_ connection: OpaquePointer) {
        sqlite3_commit_hook(connection, nil, nil)
        sqlite3_rollback_hook(connection, nil, nil)
    }

    /// Copies the log back into the database file as far as readers allow. For idle moments: otherwise a commit does
    /// it when the log has grown, and takes longer for it.
    package func checkpoint() throws(JournalFault) {
        commitsInLog = 0
        let code = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else {
            throw JournalFault(
                "checkpointing the database", code: code, message: String(cString: sqlite3_errmsg(connection)))
        }
    }
}

/// The numbers that outcomes have got so far.
struct OutcomeCounters {
    /// The last `seq`; 0 before the first outcome.
    private(set) var seq: Int64
    /// The last `strategy_seq` of every strategy that has one.
    private(set) var strategies: [StrategyName: Int64] = [:]

    init(readingFrom database: Database) throws {
        seq = try Int64.fetchOne(database, sql: "SELECT max(seq) FROM outcomes WHERE seq > 0") ?? 0
        // One look into the index for each strategy; a GROUP BY would walk every outcome there is.
        var name = ""
        while let next = try String.fetchOne(
            database, sql: "SELECT min(strategy_name) FROM outcomes WHERE strategy_name > ?", arguments: [name])
        {
            guard let strategy = StrategyName(next) else { throw JournalFault.unreadable("a strategy named \(next)") }
            strategies[strategy] = try Int64.fetchOne(
                database, sql: "SELECT max(strategy_seq) FROM outcomes WHERE strategy_name = ?", arguments: [next])
            name = next
        }
    }

    /// The strategy's outcomes were carried over from another database.
    mutating func set(_ strategySeq: Int64, of strategy: StrategyName) { strategies[strategy] = strategySeq }

    mutating func next(of strategy: StrategyName) -> OutcomeNumbers {
        seq += 1
        let strategySeq = strategies[strategy, default: 0] + 1
        strategies[strategy] = strategySeq
        return OutcomeNumbers(seq: seq, strategySeq: strategySeq)
    }
}
