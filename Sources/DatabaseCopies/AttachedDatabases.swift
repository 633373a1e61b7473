import GRDB

/// Tables of several databases that are attached to one connection, compared and copied row by row.
struct AttachedDatabases {
    let database: Database

    /// The columns of a table, quoted.
    /// - Parameter schema: The name under which its database is attached.
    private func columns(of table: String, in schema: String) throws -> [String] {
        try String.fetchAll(
            database, sql: "SELECT name FROM pragma_table_info(?, ?)", arguments: [table, schema]
        ).map(\.quotedDatabaseIdentifier)
    }

    /// Copies rows from one database to another, whose table is the same.
    func copy(_ table: String, from source: String, to target: String, where condition: String = "true") throws {
        let columns = try columns(of: table, in: source)
        guard try Set(self.columns(of: table, in: target)) == Set(columns) else {
            throw CopyFault("its table \(table) is not as this version makes it; start the worker once, then try again")
        }
        let list = columns.joined(separator: ", ")
        let name = table.quotedDatabaseIdentifier
        try database.execute(
            sql: """
                INSERT INTO \(target).\(name) (\(list))
                SELECT \(list) FROM \(source).\(name) WHERE \(condition) ORDER BY rowid
                """)
    }

    func count(_ table: String, in schema: String) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT count(*) FROM \(schema).\(table.quotedDatabaseIdentifier)") ?? 0
    }

    /// How many rows of a table are in none of some other databases, with the very same values.
    /// - Parameter except: A column that may differ.
    func countMissing(
        _ table: String, of source: String, in others: [String], except: String? = nil
    ) throws -> Int64 {
        let compared = try columns(of: table, in: source).filter { $0 != except?.quotedDatabaseIdentifier }
        let name = table.quotedDatabaseIdentifier
        let absences = others.map { other in
            let equalities = compared.map { "y.\($0) IS x.\($0)" }.joined(separator: " AND ")
            return "NOT EXISTS (SELECT 1 FROM \(other).\(name) y WHERE y.rowid = x.rowid AND \(equalities))"
        }
        return try Int64.fetchOne(
            database,
            sql: "SELECT count(*) FROM \(source).\(name) x WHERE \(absences.joined(separator: " AND "))") ?? 0
    }
}
