package import GRDB
import TradeJournal

/// What a database holds.
package struct DatabaseContents: Equatable, Sendable {
    /// Which history it is.
    package let stream: String
    /// Of a copy that `backup` made: when it was taken.
    package let copiedAt: String?
    /// Of an archive, which holds some of the decisions only: when they had ended.
    package let archivedBefore: String?
    /// The last outcome's number; 0 before the first.
    package let lastSeq: Int64
    package let lastOutcomeAt: String?
    /// How many rows each table has.
    package let rows: [String: Int64]

    package init(readingFrom database: Database) throws {
        guard try database.tableExists("database_identity"), try database.tableExists("trade_decisions") else {
            throw CopyFault("it holds no tables of trade-executor")
        }
        guard let identity = try Row.fetchOne(database, sql: "SELECT * FROM database_identity") else {
            throw CopyFault("it does not say which history it is")
        }
        stream = identity["stream"]
        // Databases from before version 5 do not have it.
        copiedAt = identity.hasColumn("copied_at") ? identity["copied_at"] : nil
        archivedBefore = identity.hasColumn("archived_before") ? identity["archived_before"] : nil
        // Those below zero were told by another worker, before their strategy came here.
        lastSeq = try Int64.fetchOne(database, sql: "SELECT max(seq) FROM outcomes WHERE seq > 0") ?? 0
        lastOutcomeAt = try String.fetchOne(
            database, sql: "SELECT created_at FROM outcomes WHERE seq > 0 ORDER BY seq DESC LIMIT 1")
        var rows: [String: Int64] = [:]
        for table in try DatabaseContents.tables(of: database) {
            rows[table] = try Int64.fetchOne(database, sql: "SELECT count(*) FROM \(table.quotedDatabaseIdentifier)")
        }
        self.rows = rows
    }

    /// The tables that are ours.
    /// - Parameter schema: The name under which the database is attached.
    static func tables(of database: Database, schema: String = "main") throws -> [String] {
        try String.fetchAll(
            database,
            sql: """
                SELECT name FROM \(schema).sqlite_master
                WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'grdb_migrations'
                ORDER BY name
                """)
    }

    /// Whether it has the same history and the same rows as another one.
    func isAsMuch(as other: DatabaseContents) -> Bool {
        (stream, lastSeq, rows) == (other.stream, other.lastSeq, other.rows)
    }

    /// Reads every page and every row: whether the file is sound, and whether each row that another one names is there.
    static func checkSoundness(of database: Database, schema: String = "main") throws {
        let findings = try String.fetchAll(database, sql: "PRAGMA \(schema).integrity_check(3)")
        guard findings == ["ok"] else {
            throw CopyFault("it is damaged: \(findings.joined(separator: "; "))")
        }
        if let orphan = try Row.fetchOne(database, sql: "PRAGMA \(schema).foreign_key_check") {
            let (table, parent) = (orphan[0] as String, orphan[2] as String)
            throw CopyFault("it is not whole: a row of \(table) names one of \(parent) that is not there")
        }
    }
}
