import ArgumentParser
import DatabaseCopies
import Glibc
import HostSystem
import StrictJSON
import TradeWorker
import TradingCore

struct ArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Moves what ended long ago out of a stopped worker's database into a packed file.",
        discussion: """
            Of decisions whose order had ended, the executions, payloads and orders are moved: half of their room. The \
            decisions and their outcomes stay, so that a decision that is sent again is known for ever and replays are \
            whole. `executions`, `failures` and `show` read the file with --archive; it is a SQLite database packed with \
            gzip.
            The worker must be stopped. No row is deleted in place: a database without them is built beside, every row is \
            proven to be in it or in the archive, and only then it takes the place of the one that is there. Meanwhile \
            about twice the database's room is needed beside it. Whenever this command dies, run it again. The \
            archive is needed for good: back it up as the database.
            """)

    @Option(help: "What had ended before: \(MomentArgument.help). At least 48 hours ago.")
    var before: MomentArgument

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp(
            "The file to make; archive/before-TIME.db.gz in the state directory unless said.", valueName: "file"))
    var file: String?

    @Flag(help: "Keep the database as it was before, as trades.db.before-TIME.")
    var keepFormer = false

    @Flag(
        help: "One JSON object: file, size_bytes, sha256, executions, payloads, orders, database_bytes_before, …_after."
    )
    var json = false

    @OptionGroup var place: PlaceOptions

    func run() throws {
        let passing = try CopyKill.fromEnvironment()
        let endedBefore = before.timestamp(at: SystemClock().now())
        let archive: Archive?
        do {
            let directory = try StateDirectory(try place.existingDirectory())
            archive = try Archive.make(
                endedBefore: endedBefore, to: try path(in: directory.path, endedBefore), in: directory,
                keepsFormer: keepFormer, by: OperatorName.current(), passing: passing)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("nothing was archived: \(error)")
        }
        try StandardOutput.print { output in
            guard let archive else {
                if !json { try output.line("nothing to archive: no order had ended before \(endedBefore.text)") }
                return
            }
            if json { try output.line(body(of: archive)) } else { try print(archive, on: output) }
        }
    }

    private func path(in directory: String, _ endedBefore: Timestamp) throws -> String {
        if let file { return file }
        try Files.makeDirectory(directory + "/archive")
        let day = endedBefore.text
        let name = day.hasSuffix("T00:00:00.000000Z") ? String(day.prefix(10)) : day.filter { $0 != "-" && $0 != ":" }
        return "\(directory)/archive/before-\(name).db.gz"
    }

    private func print(_ archive: Archive, on output: StandardOutput) throws {
        let mebibytes = { (bytes: Int64) in "\((bytes + 1 << 19) >> 20) MiB" }
        try output.line(TerminalText.safe("archived to \(archive.path)"))
        try output.line("  \(archive.sizeInBytes) bytes, sha256 \(archive.sha256)")
        try output.line("  \(archive.executions) executions, \(archive.payloads) payloads, \(archive.orders) orders")
        try output.line(
            "  the database had \(mebibytes(archive.sizeBefore)) and has \(mebibytes(archive.sizeAfter)); every row is in "
                + "one of the two")
        if let former = archive.formerDatabase {
            try output.line(TerminalText.safe("  the database as it was is kept as \(former)"))
        }
    }

    private func body(of archive: Archive) -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.object { writer in
            writer.member("file", archive.path)
            writer.member("size_bytes", archive.sizeInBytes)
            writer.member("sha256", archive.sha256)
            writer.member("executions", archive.executions)
            writer.member("payloads", archive.payloads)
            writer.member("orders", archive.orders)
            writer.member("database_bytes_before", archive.sizeBefore)
            writer.member("database_bytes_after", archive.sizeAfter)
            writer.member("former_database", archive.formerDatabase)
        }
        return writer.bytes
    }
}
