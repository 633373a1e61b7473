import GRDB
package import Monitoring
import TradingCore

/// Why the monitor's store cannot be used.
package struct MonitorStoreFault: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ path: String, _ error: any Error) {
        let fault = error as? DatabaseError
        let message = fault.map { $0.message ?? $0.description } ?? "\(error)"
        let advice =
            switch fault?.resultCode {
            case .SQLITE_CANTOPEN, .SQLITE_READONLY: "; its directory must be there, and this user able to write in it"
            case .SQLITE_NOTADB: "; name another file with --store"
            case .SQLITE_FULL: "; make room there"
            default: ""
            }
        description = "the monitor's store \(path): \(message)\(advice)"
    }

    init(description: String) { self.description = description }
}

/// What the monitor has received, in an SQLite file of its own, so that a restart shows the history and goes on where it
/// stopped. What a batch adds is committed together: outcomes, the place in the stream, and every count.
///
/// After a loss of power the last batches may be gone (`synchronous = NORMAL`); the workers tell them again.
package final class MonitorStore: Sendable {
    package let path: String
    private let pool: DatabasePool

    /// Opens the store, making it where there is none.
    /// - Parameter path: The file. Its directory must exist.
    package init(path: String) throws(MonitorStoreFault) {
        self.path = path
        do {
            var configuration = Configuration()
            configuration.label = "monitor store"
            configuration.maximumReaderCount = 3
            configuration.busyMode = .timeout(5)
            configuration.foreignKeysEnabled = true
            pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = NORMAL")
                try MonitorSchema.prepare(database)
            }
        } catch let fault as MonitorStoreFault {
            throw fault
        } catch {
            throw MonitorStoreFault(path, error)
        }
    }

    /// Runs `body` on the store as it is at one moment, whatever is written meanwhile.
    func read<Value>(_ body: (Database) throws -> Value) throws(MonitorStoreFault) -> Value {
        do {
            return try pool.read(body)
        } catch {
            throw MonitorStoreFault(path, error)
        }
    }

    /// Runs `body` as one transaction.
    func write<Value>(_ body: (Database) throws -> Value) throws(MonitorStoreFault) -> Value {
        do {
            return try pool.write(body)
        } catch {
            throw MonitorStoreFault(path, error)
        }
    }

    /// The last outcome that is stored of each partition.
    package func positions() throws(MonitorStoreFault) -> [String: StreamPosition] {
        try read { try Self.positions(in: $0) }
    }

    static func positions(in database: Database) throws -> [String: StreamPosition] {
        try Row.fetchAll(database, sql: "SELECT partition, stream, seq FROM positions").reduce(into: [:]) {
            $0[$1["partition"]] = StreamPosition(stream: $1["stream"], seq: $1["seq"])
        }
    }

    /// What has come of each strategy's decisions since the store began.
    package func tallies() throws(MonitorStoreFault) -> [StrategyKey: StrategyTally] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM tallies").reduce(into: [:]) { tallies, row in
                var tally = StrategyTally()
                tally.outcomes = row["outcomes"]
                for result in OutcomeResult.allCases { tally[result] = row[result.rawValue] }
                tally.refused = row["refused"]
                tally.lastStrategySeq = row["last_strategy_seq"]
                tally.lastAt = Timestamp(row["last_at"])
                tallies[StrategyKey(partition: row["partition"], strategy: row["strategy_name"])] = tally
            }
        }
    }
}

/// The tables.
enum MonitorSchema {
    /// Kept in `user_version`.
    static let version = 1

    static func prepare(_ database: Database) throws {
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard found <= version else {
            throw MonitorStoreFault(
                description: "the monitor's store was written by a newer version of trade-monitor; use that version, "
                    + "or another --store")
        }
        let isEmpty = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0
        guard try isEmpty && found == 0 || database.tableExists("positions") else {
            throw MonitorStoreFault(
                description: "the file of the monitor's store is another program's database; name another with --store")
        }
        guard found == 0 else { return }
        try database.inTransaction {
            try database.execute(sql: tables + "PRAGMA user_version = \(version);")
            return .commit
        }
    }

    private static let tables = """
        CREATE TABLE outcomes (
            id INTEGER PRIMARY KEY,               -- in the order in which they came
            partition TEXT NOT NULL,
            stream TEXT NOT NULL,                 -- the worker's database
            seq INTEGER NOT NULL,
            strategy_seq INTEGER NOT NULL,
            strategy_name TEXT NOT NULL,
            decision_id TEXT NOT NULL,
            symbol TEXT,
            result TEXT NOT NULL,
            status TEXT NOT NULL,                 -- the execution's, or refused
            at TEXT NOT NULL,
            received_at TEXT NOT NULL,
            body TEXT NOT NULL,                   -- the JSON as published
            UNIQUE (partition, stream, seq)
        ) STRICT;
        CREATE INDEX outcomes_of_decision ON outcomes (strategy_name, decision_id, partition);
        CREATE TABLE positions (
            partition TEXT PRIMARY KEY, stream TEXT NOT NULL, seq INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE decisions (
            partition TEXT NOT NULL,
            strategy_name TEXT NOT NULL,
            decision_id TEXT NOT NULL,
            result TEXT NOT NULL,                 -- what was last heard of it
            final INTEGER NOT NULL,
            refused INTEGER NOT NULL,             -- 1: never sent
            last_outcome INTEGER NOT NULL,        -- outcomes.id
            PRIMARY KEY (partition, strategy_name, decision_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX decisions_open ON decisions (result, last_outcome) WHERE final = 0;
        CREATE INDEX decisions_ended ON decisions (last_outcome) WHERE final = 1;
        CREATE TABLE tallies (
            partition TEXT NOT NULL,
            strategy_name TEXT NOT NULL,
            outcomes INTEGER NOT NULL,
            pending INTEGER NOT NULL, unknown INTEGER NOT NULL,
            success INTEGER NOT NULL, partial INTEGER NOT NULL, failed INTEGER NOT NULL,
            refused INTEGER NOT NULL,             -- of the failed, those that were never sent
            last_strategy_seq INTEGER NOT NULL,
            last_at TEXT NOT NULL,
            PRIMARY KEY (partition, strategy_name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE minutes (
            minute INTEGER NOT NULL,              -- since 1970, by the outcomes' own times
            partition TEXT NOT NULL,
            strategy_name TEXT NOT NULL,
            success INTEGER NOT NULL, partial INTEGER NOT NULL, failed INTEGER NOT NULL,
            refused INTEGER NOT NULL, unknown INTEGER NOT NULL,
            answer TEXT NOT NULL,                 -- microseconds: sum;bucket:count,…
            completion TEXT NOT NULL,
            PRIMARY KEY (minute, partition, strategy_name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE failures (
            partition TEXT NOT NULL,
            strategy_name TEXT NOT NULL,
            message TEXT NOT NULL,
            http_status_code INTEGER NOT NULL,    -- 0: the broker has not answered, or was not asked
            count INTEGER NOT NULL,
            last_at TEXT NOT NULL,
            last_decision_id TEXT NOT NULL,
            PRIMARY KEY (partition, message, http_status_code, strategy_name)
        ) STRICT, WITHOUT ROWID;

        """
}
