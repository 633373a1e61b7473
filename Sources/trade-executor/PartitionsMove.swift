import ArgumentParser
import Glibc
import HostSystem
import StrictJSON
import TradeWorker
import TradingCore

struct PartitionsMove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move",
        abstract: "Moves a strategy to another partition while it trades.",
        discussion: """
            Both workers run, with the same map, on this machine (for another machine see below); the command runs as their user or as root. The old \
            worker takes no new decisions of the strategy (`draining`) and finishes those that it has; then all that it \
            knows of the strategy, open orders included, is carried over; then the map is edited, and the new worker \
            takes decisions, follows the open orders and goes on with `strategy_seq`. Publishers go on sending and \
            resending meanwhile: for some seconds they hear `draining`, then `wrong_partition`.

            If it dies half way, or gives up after --timeout, the same command again goes on with the move. Until the map \
            is edited, --abandon undoes it instead.

            After a restore, a worker does not serve a strategy that came or went since the copy was taken. Give it back \
            to the worker that knows more, by an edit of the map, and move it from there. Where that one is lost too, \
            --take has the worker serve it as its own database knows it: what was sent elsewhere is looked up as it is \
            sent again, and its counters begin where the copy ends.

            trade-executor partitions move mean-rev --to p1 --partition-map partition-map.json

            Between machines, each with the same map, one file is carried, and nothing else is shared; on the machine \
            that the strategy leaves, and on the one that it comes to, say:

            trade-executor partitions move mean-rev --to p1 --give mean-rev.move

            trade-executor partitions move mean-rev --to p1 --receive mean-rev.move

            Until it is handed over, --abandon undoes it. From then on the old worker never serves it again unless the \
            new machine has refused the file for good: `--to p1 --refuse mean-rev.move` there writes \
            mean-rev.move.refused, and `--abandon --refused mean-rev.move.refused` where it left takes it back. Once it \
            is received, put the map of that machine on all others: until then publishers hear `draining`.
            """)

    @Argument(help: "The strategy's name.") var strategy: StrategyName
    @Option(help: "The partition that it goes to.") var to: PartitionName?
    @Option(help: "A partition that holds it back after a restore, and is to serve it with what it knows of it.")
    var take: PartitionName?
    @Flag(help: "Leaves the strategy where it is, and ends the move that is under way.") var abandon = false
    @Option(
        help:
            "Hands it over to another machine: writes all of it to this file, for --receive. Only this machine's worker is needed."
    )
    var give: String?
    @Option(help: "Takes in what --give has written on another machine, and edits the map of this one.")
    var receive: String?
    @Option(help: "Has this machine never take in that file, and writes FILE.refused for --refused.")
    var refuse: String?
    @Option(help: "With --abandon, of what was handed over: the file that --refuse has written on the other machine.")
    var refused: String?
    @Option(
        help: "The state directory of the worker that it leaves; as `run` chooses it by the partition, unless said.")
    var fromStateDir: String?
    @Option(help: "The state directory of the worker that it goes to; likewise.") var toStateDir: String?
    @Option(help: "How many seconds each step may take.") var timeout: Int = 120
    @OptionGroup var map: PartitionMapOptions

    func validate() throws {
        guard [abandon, to != nil, take != nil].count(where: { $0 }) == 1 else {
            throw ValidationError("say --to PARTITION, --abandon, or --take PARTITION")
        }
        let files = [give, receive, refuse].count(where: { $0 != nil })
        guard files == 0 || files == 1 && to != nil else {
            throw ValidationError("--give, --receive and --refuse each need --to, and exclude one another")
        }
        guard refused == nil || abandon else { throw ValidationError("--refused goes with --abandon") }
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout must be from 1 to 86400 seconds") }
    }

    func run() throws {
        do {
            let path = try Files.realPath(try map.path())
            // The next edit of the map is this command's.
            try Files.withLock(path + ".lock") {
                let move = MovingStrategy(
                    strategy: strategy, mapPath: path, fromStateDirectory: fromStateDir, toStateDirectory: toStateDir,
                    timeout: .seconds(Int64(timeout)), tell: tell)
                if let to {
                    if let give {
                        try move.give(to: to, file: give)
                    } else if let receive {
                        try move.receive(receive, at: to)
                    } else if let refuse {
                        try move.refuse(refuse, at: to)
                    } else {
                        try move.move(to: to)
                    }
                } else if let take {
                    try move.take(at: take)
                } else {
                    try move.abandon(refusedPath: refused)
                }
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("\(error)")
        }
    }

    private func tell(_ step: String, _ text: String) {
        let line: JSONValue = [
            "strategy_name": .string(strategy.text), "step": .string(step), "message": .string(text),
        ]
        print(map.json ? line.text : TerminalText.safe(text))
        // A move takes seconds: what it does is told at once.
        fflush(nil)
    }
}

extension PartitionName: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}
