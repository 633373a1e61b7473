import ArgumentParser
import DatabaseCopies
import HostSystem
import StrictJSON
import TradeWorker
import TradingCore

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copies a worker's database, while it trades or while it is stopped.",
        discussion: """
            The copy is the database at one moment, in one file. It is checked whole (SQLite's integrity_check, \
            foreign_key_check, and the number of rows of each table), and has its name only once it is on disk: \
            whatever happens meanwhile, there is the whole copy or none. Only this user can read it. Trading goes on; \
            the worker's log grows until the copy is made.
            `trade-executor restore` puts it back. Settings, keys, limits and halts are not in the database.
            """)

    @Option(name: .customLong("to"), help: ArgumentHelp("The file to make.", valueName: "file"))
    var file: String

    @Flag(help: "Replace the file where it is there already, once the new copy is whole.")
    var force = false

    @Flag(help: "One JSON object: file, size_bytes, sha256, taken_at, stream, last_seq, last_outcome_at, rows.")
    var json = false

    @OptionGroup var place: PlaceOptions

    func run() throws {
        let database = StateDirectory.databasePath(in: try place.place().stateDirectory)
        let passing = try CopyKill.fromEnvironment()
        ProcessPriority.giveWay()
        let backup: Backup
        do {
            backup = try Backup.take(of: database, to: file, mayReplace: force, passing: passing)
        } catch {
            throw Failure("no copy was made: \(error)")
        }
        try StandardOutput.print { output in
            if json { try output.line(body(of: backup)) } else { try print(backup, on: output) }
        }
    }

    private func print(_ backup: Backup, on output: StandardOutput) throws {
        let contents = backup.contents
        try output.line(TerminalText.safe("copied to \(backup.path)"))
        try output.line("  \(backup.sizeInBytes) bytes, sha256 \(backup.sha256)")
        try output.line("  taken at \(RecordText.time(backup.takenAt.text)) UTC")
        try output.line("  \(ContentsText.line(contents))")
        try output.line("  checked: sound, every row that another names is there, as many rows as in the database")
    }

    private func body(of backup: Backup) -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.object { writer in
            writer.member("file", backup.path)
            writer.member("size_bytes", backup.sizeInBytes)
            writer.member("sha256", backup.sha256)
            writer.member("taken_at", backup.takenAt.text)
            ContentsText.writeMembers(of: backup.contents, to: &writer)
        }
        return writer.bytes
    }
}

/// What a copy holds, in words.
enum ContentsText {
    static func line(_ contents: DatabaseContents) -> String {
        let rows = { (table: String) in contents.rows[table] ?? 0 }
        var text = "\(rows("trade_decisions")) decisions, \(rows("trade_executions")) executions, "
        text += "\(rows("api_payloads")) payloads, \(rows("alpaca_orders")) orders, \(rows("outcomes")) outcomes"
        if let at = contents.lastOutcomeAt { text += ", the last of \(RecordText.time(at)) UTC" }
        return text + "; stream \(contents.stream)"
    }

    static func writeMembers(of contents: DatabaseContents, to writer: inout JSONWriter) {
        writer.member("stream", contents.stream)
        writer.member("last_seq", contents.lastSeq)
        writer.member("last_outcome_at", contents.lastOutcomeAt)
        writer.key("rows")
        writer.object { writer in
            for (table, count) in contents.rows.sorted(by: { $0.key < $1.key }) {
                writer.key(table)
                writer.number(count)
            }
        }
    }
}
