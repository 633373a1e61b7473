package import GRDB
package import StrictJSON

/// A row of `archives`: executions with their payloads and orders that were moved to a file.
package struct ArchiveRecord: FetchableRecord, TableRecord, Equatable, Sendable {
    package static let databaseTableName = "archives"

    package let id: Int64
    package let archivedAt: String
    package let byWhom: String
    /// They had ended before.
    package let endedBefore: String
    package let file: String
    /// The file's digest, in hexadecimal digits.
    package let fileSHA256: String
    package let executions: Int64

    package init(row: Row) {
        id = row["id"]
        archivedAt = row["archived_at"]
        byWhom = row["by_whom"]
        endedBefore = row["ended_before"]
        file = row["file"]
        fileSHA256 = row["file_sha256"]
        executions = row["executions"]
    }

    /// Writes every column under its own name, into an object that is open.
    package func writeMembers(to writer: inout JSONWriter) {
        writer.member("id", id)
        writer.member("archived_at", archivedAt)
        writer.member("by_whom", byWhom)
        writer.member("ended_before", endedBefore)
        writer.member("file", file)
        writer.member("file_sha256", fileSHA256)
        writer.member("executions", executions)
    }
}

extension TradeRecords {
    /// What was moved out of this database, in order.
    package func archives() throws -> [ArchiveRecord] {
        try read { try ArchiveRecord.order(sql: "id").fetchAll($0) }
    }
}
