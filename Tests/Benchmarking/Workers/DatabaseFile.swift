import GRDB

/// A worker's database, looked at from outside.
package enum DatabaseFile {
    /// Its size in bytes with what stands in the log only.
    package static func bytes(_ path: String) throws -> Int64 {
        try read(path) { database in
            let pages = try Int64.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            return try pages * (Int64.fetchOne(database, sql: "PRAGMA page_size") ?? 0)
        }
    }

    static func read<Value>(_ path: String, _ body: (Database) throws -> Value) throws -> Value {
        var configuration = Configuration()
        configuration.readonly = true
        return try DatabaseQueue(path: path, configuration: configuration).read(body)
    }
}
