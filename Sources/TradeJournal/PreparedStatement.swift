import GRDB
import GRDBSQLite

/// One SQL statement, prepared once and used for every trade. GRDB makes and frees it; values are bound and read
/// through SQLite itself, which spares GRDB's own value types on the path of a decision.
final class PreparedStatement {
    private let statement: Statement
    private let handle: OpaquePointer
    private var bound: Int32 = 0

    init(_ sql: String, in database: Database) throws {
        statement = try database.makeStatement(sql: sql)
        handle = statement.sqliteStatement
    }

    // MARK: Binding, in the order of the question marks

    func bind(_ value: String?) throws(JournalFault) {
        guard let value else { return try bindNull() }
        bound += 1
        var text = value
        let code = text.withUTF8 {
            sqlite3_bind_text64(
                handle, bound, UnsafeRawPointer($0.baseAddress)?.assumingMemoryBound(to: CChar.self),
                UInt64($0.count), PreparedStatement.copied, UInt8(SQLITE_UTF8))
        }
        // An empty string may have no address, which SQLite would take for NULL.
        guard !value.isEmpty || code != SQLITE_OK else {
            return try check(sqlite3_bind_text(handle, bound, "", 0, PreparedStatement.copied))
        }
        try check(code)
    }

    func bind(_ value: Int64?) throws(JournalFault) {
        guard let value else { return try bindNull() }
        bound += 1
        try check(sqlite3_bind_int64(handle, bound, value))
    }

    func bind(_ value: Int?) throws(JournalFault) {
        try bind(value.map(Int64.init))
    }

    /// Exact bytes: as text where they are valid UTF-8 without a zero byte, so that a person can read them, else as a
    /// blob.
    func bind(bytes: [UInt8]) throws(JournalFault) {
        if !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) { return try bind(text) }
        bound += 1
        try check(
            bytes.withUnsafeBytes {
                sqlite3_bind_blob64(handle, bound, $0.baseAddress, UInt64($0.count), PreparedStatement.copied)
            })
    }

    private func bindNull() throws(JournalFault) {
        bound += 1
        try check(sqlite3_bind_null(handle, bound))
    }

    /// SQLite takes a copy of what is bound.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    // MARK: Running

    /// Runs a statement that returns no rows, and makes it ready for the next use.
    func run() throws(JournalFault) {
        defer { reset() }
        let code = sqlite3_step(handle)
        guard code == SQLITE_DONE || code == SQLITE_ROW else { throw fault() }
    }

    /// Hands every row to `row`.
    func rows(_ row: (PreparedStatement) throws(JournalFault) -> Void) throws(JournalFault) {
        defer { reset() }
        while true {
            switch sqlite3_step(handle) {
            case SQLITE_ROW: try row(self)
            case SQLITE_DONE: return
            default: throw fault()
            }
        }
    }

    /// The first row, where there is one.
    func first<Value>(_ row: (PreparedStatement) throws(JournalFault) -> Value) throws(JournalFault) -> Value? {
        defer { reset() }
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return try row(self)
        case SQLITE_DONE: return nil
        default: throw fault()
        }
    }

    private func reset() {
        // What reset returns is the error of the step before, which has been looked at.
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
        bound = 0
    }

    private func check(_ code: Int32) throws(JournalFault) {
        guard code == SQLITE_OK else {
            let fault = fault()
            reset()
            throw fault
        }
    }

    private func fault() -> JournalFault {
        let connection = sqlite3_db_handle(handle)
        return JournalFault(
            "using the database", code: sqlite3_extended_errcode(connection),
            message: String(cString: sqlite3_errmsg(connection)))
    }

    // MARK: Columns of the row at hand, from 0

    func text(_ column: Int32) -> String? {
        guard let bytes = sqlite3_column_text(handle, column) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    func integer(_ column: Int32) -> Int64? {
        sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : sqlite3_column_int64(handle, column)
    }

    /// The column's exact bytes, whether it is text or a blob.
    func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }

    /// A column that the schema says is never null.
    func requiredText(_ column: Int32) throws(JournalFault) -> String {
        guard let text = text(column) else { throw JournalFault.unreadable("column \(column) is NULL") }
        return text
    }

    func requiredInteger(_ column: Int32) throws(JournalFault) -> Int64 {
        guard let value = integer(column) else { throw JournalFault.unreadable("column \(column) is NULL") }
        return value
    }
}
