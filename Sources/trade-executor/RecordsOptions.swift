import ArgumentParser
import DatabaseCopies
import TradeRecords

/// Which records a command reads: those of a worker, or those in a file.
struct RecordsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Read an archive, or a backup, in place of the worker's database. It is unpacked to TMPDIR first.",
            valueName: "file"))
    var archive: String?

    @OptionGroup var place: PlaceOptions

    func records() throws -> TradeRecords {
        guard let archive else { return try place.records() }
        do {
            // It goes once it is open.
            let file = try ArchiveFile(archive)
            return try withExtendedLifetime(file) { try TradeRecords(path: file.path) }
        } catch {
            throw Failure("\(error)")
        }
    }

    /// Says what the worker's records do not hold any more, and where it is.
    func mentionArchives(_ records: TradeRecords) throws {
        let archives = try records.archives()
        guard archive == nil, !archives.isEmpty else { return }
        let count = archives.reduce(0) { $0 + $1.executions }
        StandardError.line(
            "\(count) older executions are archived, and not among these; --archive reads "
                + archives.map(\.file).joined(separator: ", "))
    }
}
