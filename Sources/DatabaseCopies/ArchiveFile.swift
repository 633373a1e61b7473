import GRDB
import HostSystem
import TradeJournal

/// An archive, or any other copy, as a command reads it: unpacked where it is packed, and brought up to date, in a file
/// that nobody else sees.
package final class ArchiveFile {
    /// A database in one file. It goes with this object; who has it open by then can still read it.
    package var path: String { file.temporaryPath }
    private let file: UnfinishedFile

    /// - Parameter source: A database in one file, packed with gzip or not.
    package init(_ source: String) throws(CopyFault) {
        do {
            guard try Files.exists(source) else { throw CopyFault("there is no file \(source)") }
            try Files.checkIsFile(source)
            let directory = ProcessEnvironment.all()["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
            file = try UnfinishedFile("\(directory)/trade-executor-archive-\(UInt64.random(in: .min ... .max))")
            do {
                try ArchiveFile.unpack(source, into: file)
            } catch {
                try file.discard()
                throw error
            }
        } catch {
            throw CopyFault(source, error)
        }
    }

    deinit {
        // It is in a directory for what nobody needs any more.
        try? file.discard()
    }

    private static func unpack(_ source: String, into file: UnfinishedFile) throws {
        let gzipMagic: [UInt8] = [0x1F, 0x8B]
        if try Files.read(source, bytesMax: 2) == gzipMagic {
            try Gzip.unpack(source, into: file)
        } else {
            try Files.forEachPiece(of: source) { (piece) throws(SystemError) in try file.append(piece) }
        }
        let queue = try DatabaseQueue(path: file.temporaryPath)
        try queue.inDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = DELETE")
            _ = try DatabaseContents(readingFrom: database)
        }
        try TradeJournal.migrate(queue)
        try queue.close()
    }
}
