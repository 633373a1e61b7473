package import GRDB

/// How the tables of a database compare with those that this program knows.
package enum SchemaAge: Sendable {
    case older
    case current
    /// Made by a version of the program that came later.
    case newer
}

extension TradeJournal {
    /// Looks without changing anything.
    package static func age(of database: Database) throws -> SchemaAge {
        let migrator = Schema.migrator
        if try migrator.hasBeenSuperseded(database) { return .newer }
        return try migrator.hasCompletedMigrations(database) ? .current : .older
    }
}
