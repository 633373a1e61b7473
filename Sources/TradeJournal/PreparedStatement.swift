import GRDB
import GRDBSQLite
import StrictJSON

/// One SQL statement, prepared once and used for every trade. GRDB makes and frees it; values are bound and read
/// through SQLite itself, which spares GRDB's own value types on the path of a decision.
final class PreparedStatement {
    private let statement: Statement
    private let handle: OpaquePointer
    private let parameterCount: Int32
    private var bound: Int32 = 0
    private let values = BoundValues()

    init(_ sql: String, in database: Database) throws {
        statement = try database.makeStatement(sql: sql)
        handle = statement.sqliteStatement
        parameterCount = sqlite3_bind_parameter_count(handle)
    }

    // MARK: Binding, in the order of the question marks

    func bind(_ value: String?) throws(JournalFault) {
        guard let value else { return try bindNull() }
        let code = value.utf8.withContiguousStorageIfAvailable { bindText(UnsafeRawBufferPointer($0)) }
        guard let code else { preconditionFailure("Swift's own strings are contiguous") }
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
        try check(
            bytes.withUnsafeBytes { bytes in
                let isText =
                    bytes.isASCIIWithoutZero || !bytes.contains(0) && String(validating: bytes, as: UTF8.self) != nil
                if isText { return bindText(bytes) }
                bound += 1
                // A blob without an address would be NULL.
                if bytes.isEmpty { return sqlite3_bind_zeroblob(handle, bound, 0) }
                return sqlite3_bind_blob64(handle, bound, values.keep(bytes), UInt64(bytes.count), nil)
            })
    }

    private func bindText(_ text: UnsafeRawBufferPointer) -> Int32 {
        bound += 1
        return sqlite3_bind_text64(
            handle, bound, values.keep(text).assumingMemoryBound(to: CChar.self), UInt64(text.count), nil,
            UInt8(SQLITE_UTF8))
    }

    private func bindNull() throws(JournalFault) {
        bound += 1
        try check(sqlite3_bind_null(handle, bound))
    }

    // MARK: Running

    /// Runs a statement that returns no rows, and makes it ready for the next use.
    func run() throws(JournalFault) {
        defer { reset() }
        let code = step()
        guard code == SQLITE_DONE || code == SQLITE_ROW else { throw fault() }
    }

    /// The row that the last insert of this connection made. Asked of the connection, since RETURNING would build a
    /// table in memory for each insert, at more than the cost of the insert.
    var lastInsertedID: Int64 { sqlite3_last_insert_rowid(sqlite3_db_handle(handle)) }

    /// Whether the last statement of this connection changed any row.
    var hasChangedRows: Bool { sqlite3_changes(sqlite3_db_handle(handle)) > 0 }

    /// Hands every row to `row`.
    func rows(_ row: (PreparedStatement) throws(JournalFault) -> Void) throws(JournalFault) {
        defer { reset() }
        while true {
            switch step() {
            case SQLITE_ROW: try row(self)
            case SQLITE_DONE: return
            default: throw fault()
            }
        }
    }

    /// The first row, where there is one.
    func first<Value>(_ row: (PreparedStatement) throws(JournalFault) -> Value) throws(JournalFault) -> Value? {
        defer { reset() }
        switch step() {
        case SQLITE_ROW: return try row(self)
        case SQLITE_DONE: return nil
        default: throw fault()
        }
    }

    private func step() -> Int32 {
        precondition(bound == parameterCount, "every question mark is bound for each run")
        return sqlite3_step(handle)
    }

    private func reset() {
        // What reset returns is the error of the step before, which has been looked at.
        sqlite3_reset(handle)
        // The values stay bound, and are never looked at: each is bound anew before the next run.
        values.forget()
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
