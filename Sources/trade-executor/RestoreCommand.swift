import ArgumentParser
import DatabaseCopies
import HostSystem
import StrictJSON
import TradeWorker
import TradingCore

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Puts a copy that `backup` made in the place of a stopped worker's database.",
        discussion: """
            The copy is checked first, and stays as it is. A database that is there is an error, unless --move-aside \
            says to rename it, with its log, to trades.db.before-TIME; nothing is deleted.
            What happened after the copy was taken is not in it. So a new stream of outcomes begins, which tells \
            subscribers that numbers are given again; and all trading is halted, while waiting decisions wait. Start \
            the worker, look at `status` and at the account, then `resume`: what the copy holds as waiting or under way \
            is looked up at the broker before anything is sent. So is every decision that comes from then on, since it may \
            be one from after the copy: the order that is there is adopted. Whenever this command dies, run it again.
            """)

    @Argument(help: "The copy.")
    var file: String

    @Flag(help: "Rename the database that is there, in place of an error.")
    var moveAside = false

    @Flag(
        help:
            "One JSON object: file, sha256, restored_at, copied_at, former_stream, former_database, and as of `backup`."
    )
    var json = false

    @OptionGroup var place: PlaceOptions

    func run() throws {
        let passing = try CopyKill.fromEnvironment()
        let restoration: Restoration
        do {
            let directory = try StateDirectory(try place.place().stateDirectory)
            restoration = try Restoration.restore(
                file, in: directory, movesAside: moveAside, by: OperatorName.current(), passing: passing)
        } catch let failure as Failure {
            throw failure
        } catch let unfinished as Restoration.Unfinished {
            throw Failure(
                "the copy is restored, halted, and not in its place yet: \(unfinished). The next start of the worker, or "
                    + "this command again, puts it there")
        } catch {
            throw Failure("nothing was restored: \(error)")
        }
        try StandardOutput.print { output in
            if json { try output.line(body(of: restoration)) } else { try print(restoration, on: output) }
        }
    }

    private func print(_ restoration: Restoration, on output: StandardOutput) throws {
        let contents = restoration.contents
        let taken = restoration.copiedAt.map { ", taken at \(RecordText.time($0)) UTC" } ?? ""
        try output.line(TerminalText.safe("restored \(restoration.file)\(taken)"))
        try output.line("  sha256 \(restoration.sha256)")
        try output.line("  \(ContentsText.line(contents))")
        try output.line("  outcomes are numbered on from \(contents.lastSeq), in this new stream")
        if let former = restoration.formerDatabase {
            try output.line(TerminalText.safe("  the database that was there is kept as \(former)"))
        }
        if contents.rows["partition_maps", default: 0] > 0 {
            try output.line(
                "  put the partition map that is in force in place before the worker starts: strategies that have moved since"
            )
            try output.line("  the copy was taken are known by it only, and held (see backup.md)")
        }
        try output.line(
            "  all trading is halted, and waiting decisions wait: start the worker, look at `status` and at")
        try output.line("  the account, then `trade-executor resume`")
    }

    private func body(of restoration: Restoration) -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.object { writer in
            writer.member("file", restoration.file)
            writer.member("sha256", restoration.sha256)
            writer.member("restored_at", restoration.at.text)
            writer.member("copied_at", restoration.copiedAt)
            writer.member("former_stream", restoration.formerStream)
            writer.member("former_database", restoration.formerDatabase)
            ContentsText.writeMembers(of: restoration.contents, to: &writer)
        }
        return writer.bytes
    }
}
