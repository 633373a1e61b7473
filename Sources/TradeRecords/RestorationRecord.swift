package import GRDB
package import StrictJSON

/// A row of `restorations`: the database was restored from a copy.
package struct RestorationRecord: FetchableRecord, TableRecord, Equatable, Sendable {
    package static let databaseTableName = "restorations"

    package let restoredAt: String
    package let byWhom: String
    /// The copy.
    package let file: String
    /// The copy's digest, in hexadecimal digits.
    package let fileSHA256: String
    /// When the copy was taken; nil where it does not say.
    package let copiedAt: String?
    /// The last outcome that the copy held. Later numbers may have been given before, in the former stream.
    package let lastSeq: Int64
    package let formerStream: String
    package let stream: String

    package init(row: Row) {
        restoredAt = row["restored_at"]
        byWhom = row["by_whom"]
        file = row["file"]
        fileSHA256 = row["file_sha256"]
        copiedAt = row["copied_at"]
        lastSeq = row["last_seq"]
        formerStream = row["former_stream"]
        stream = row["stream"]
    }

    static func last(in database: Database) throws -> RestorationRecord? {
        try RestorationRecord.order(sql: "id DESC").fetchOne(database)
    }

    /// Writes every column under its own name, into an object that is open.
    package func writeMembers(to writer: inout JSONWriter) {
        writer.member("restored_at", restoredAt)
        writer.member("by_whom", byWhom)
        writer.member("file", file)
        writer.member("file_sha256", fileSHA256)
        writer.member("copied_at", copiedAt)
        writer.member("last_seq", lastSeq)
        writer.member("former_stream", formerStream)
        writer.member("stream", stream)
    }
}

extension TradeRecords {
    /// The last time that the database was restored from a copy; nil where it never was.
    package func lastRestoration() throws -> RestorationRecord? {
        try read { try RestorationRecord.last(in: $0) }
    }
}
