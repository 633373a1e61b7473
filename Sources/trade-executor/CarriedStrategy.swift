import HostSystem
import TradeRecords
import TradingCore

/// A move between machines that do not see each other: all that is known of the strategy is carried in one file. That file
/// is not written before the old worker has stored that the strategy is not its own any more, and the new worker takes it in
/// once at most, or never after it was refused.
extension MovingStrategy {
    // MARK: At the machine that it leaves

    /// Hands it over, and writes the file. Where it was handed over before, writes the same again.
    func give(to destination: PartitionName, file path: String) throws {
        let map = try PartitionMapOptions.read(mapPath)
        guard map.places[destination] != nil else { throw Failure("the map has no partition \(destination)") }
        guard let owner = map.partition(of: strategy), owner != destination else {
            throw Failure("the map must give \(strategy) to the partition that it leaves; see `partitions find`")
        }
        guard try !Files.exists(path) else {
            throw Failure("\(path) is there already, and nothing is written over it: say another name, or remove it")
        }
        let from = try end(owner, fromStateDirectory)
        try from.files.prepare()
        // Found out while there is a way back: whether it can be written, and is not too much for the new worker.
        let file = try UnfinishedFile(path)
        do {
            try write(nil, to: file, from)
            let id = try handOver(from, to: destination)
            let halts = try HaltFiles(stateDirectory: from.stateDirectory).list()
            let handOver = HandOver(
                strategy, id: id, from: owner, to: destination, stream: try from.records.stream(),
                map: try PartitionMapOptions.read(mapPath),
                halt: halts.first { $0.scope == .strategy(strategy) } ?? halts.first { $0.scope == .all })
            try write(handOver, to: file, from)
            try from.files.clear(strategy, id: id)
            try file.publish(mayReplace: false)
        } catch {
            try file.discard()
            throw error
        }
        tell(
            "given",
            "all of \(strategy) is in \(path): carry it to \(destination)'s machine, and say there: trade-executor "
                + "partitions move \(strategy) --to \(destination) --receive FILE")
    }

    /// - Returns: Which move it is: also one of which the file was written before.
    private func handOver(_ from: End, to destination: PartitionName) throws -> String {
        if let last = try from.records.lastMove(of: strategy), last.step == .handedOver, last.partition == destination {
            return last.id
        }
        let id = try drain(from, to: destination, .releaseToCarry)
        try from.files.ask(MoveRequest(.handOver, strategy, id: id, partition: destination))
        try wait(from, "has handed it over") { $0?.id == id && $0?.step == .handedOver }
        tell("handed_over", "\(from.partition) has let go of \(strategy) for good, unless it is refused there")
        return id
    }

    /// Writes all rows and what goes with them, packed; or only tries whether that is possible.
    private func write(_ handOver: HandOver?, to file: UnfinishedFile, _ from: End) throws {
        let rows = try from.files.carriedRows(of: strategy)
        do {
            try from.records.export(strategy, to: rows.temporaryPath, handOver: handOver)
            if handOver == nil {
                try checkSize(of: rows.temporaryPath)
            } else {
                try Gzip.pack(rows.temporaryPath, into: file)
            }
        } catch {
            try rows.discard()
            throw error
        }
        try rows.discard()
    }

    /// Has the old worker serve again what was handed over, and was refused.
    func takeBack(_ path: String, _ last: StrategyMove?, _ from: End) throws {
        guard let request = MoveRequest(try Files.readTrusted(path, bytesMax: 4096)), request.action == .takeBack,
            request.strategy == strategy
        else { throw Failure("\(path) is no file that --refuse has written for \(strategy)") }
        guard let last, last.id == request.id, last.partition == request.partition else {
            throw Failure("\(path) is of another move of \(strategy) than the last one of \(from.partition)")
        }
        switch last.step {
        case .handedOver: try keep(request, at: from)
        case .kept: tell("kept", "\(from.partition) serves \(strategy) as before")
        case .draining, .released, .imported, .opened, .gone:
            throw Failure("\(strategy) is not handed over by \(from.partition), but \(last.step.rawValue)")
        }
    }

    static func isHandedOver(_ last: StrategyMove) -> String {
        "\(last.strategy) was handed over to \(last.partition) in a file, and may be served there: have it refused there "
            + "(--to \(last.partition) --refuse FILE), carry FILE.refused here, and say --abandon --refused FILE.refused"
    }

    // MARK: At the machine that it comes to

    /// Takes the file in, and edits this machine's map.
    func receive(_ path: String, at destination: PartitionName) throws {
        var map = try PartitionMapOptions.read(mapPath)
        let to = try end(destination, toStateDirectory)
        let handOver = try take(path, to) { handOver, rows in
            guard try to.records.stream() != handOver.stream else {
                throw Failure("\(to.stateDirectory) is the database, or a copy of the one, that gave \(strategy) away")
            }
            let last = try to.records.lastMove(of: strategy)
            guard try to.records.knowsMove(handOver.id) else { return try carryOver(handOver, rows, last, map, to) }
            guard let last, last.id == handOver.id, last.step == .imported || last.step == .opened else {
                throw Failure("\(path) was taken in or refused here before, and that is over; it is not taken in again")
            }
            // In place of a refusal that was asked for and not heard.
            try to.files.ask(MoveRequest(.import, strategy, id: handOver.id, partition: handOver.from))
        }
        map = try PartitionMapOptions.read(mapPath)
        if map.partition(of: strategy) != destination {
            if let halt = handOver.halt, try !isHalted(at: to) { try set(halt, of: handOver.from, at: to) }
            map.epoch = try switchMap(from: handOver.from, to)
        }
        try wait(to, "has opened (with the map's epoch \(map.epoch))") { $0?.id == handOver.id && $0?.step == .opened }
        try to.files.clear(strategy, id: handOver.id)
        tell(
            "opened",
            "\(destination) serves \(strategy); now put this machine's map (epoch \(map.epoch)) on all others, "
                + "\(handOver.from)'s first")
    }

    /// Has the new worker take in the rows, unless they are stale or none of this machine's.
    private func carryOver(
        _ handOver: HandOver, _ rows: String, _ last: StrategyMove?, _ map: PartitionMap, _ to: End
    ) throws {
        guard handOver.map == map else {
            throw Failure(
                "the maps differ: the file was given under the epoch \(handOver.map.epoch), and this machine's has "
                    + "\(map.epoch); put the newer one on both, and where it is the file's that is older, --give it again"
            )
        }
        guard last?.step != .draining, last?.step != .released else {
            throw Failure("\(strategy) is about to leave \(to.partition); finish that move first, or say --abandon")
        }
        try to.files.clearTries(of: handOver.id)
        try to.files.offerRows(of: handOver.id, from: rows)
        try to.files.ask(MoveRequest(.import, strategy, id: handOver.id, partition: handOver.from))
        try wait(to, "has taken in what is in the file (its log and `status` say why it might not; then --refuse it)") {
            $0?.id == handOver.id && $0?.step == .imported
        }
        tell("imported", "\(to.partition) has all that \(handOver.from) knows of \(strategy)")
    }

    private func isHalted(at to: End) throws -> Bool {
        try HaltFiles(stateDirectory: to.stateDirectory).list().contains { $0.scope == .strategy(strategy) }
    }

    /// Has the new worker never take in a file, and writes what the old one needs to know of that.
    func refuse(_ path: String, at destination: PartitionName) throws {
        let map = try PartitionMapOptions.read(mapPath)
        guard map.partition(of: strategy) != destination else {
            throw Failure(
                "the map gives \(strategy) to \(destination): it is served there, and goes back by a move only (--give)"
            )
        }
        let to = try end(destination, toStateDirectory)
        let handOver = try take(path, to) { _, _ in }
        let id = handOver.id
        if let last = try to.records.lastMove(of: strategy), try to.records.knowsMove(id),
            last.id != id || last.step == .opened
        {
            throw Failure("\(path) was taken in here before, and it is too late to refuse it")
        }
        try to.files.ask(MoveRequest(.drop, strategy, id: id, partition: handOver.from))
        try wait(to, "has let go of it") { $0?.id == id && ($0?.step == .gone || $0?.step == .kept) }
        try to.files.clear(strategy, id: id)
        let answer = MoveRequest(.takeBack, strategy, id: id, partition: destination)
        try Files.write(Array(answer.text.utf8), to: path + ".refused")
        tell(
            "refused",
            "\(destination) never takes \(path) in: carry \(path).refused to \(handOver.from)'s machine, and say there: "
                + "trade-executor partitions move \(strategy) --abandon --refused FILE.refused")
    }

    /// Unpacks a file beside what the worker is asked for, checks it, and hands it on.
    private func take(_ path: String, _ to: End, _ body: (HandOver, String) throws -> Void) throws -> HandOver {
        try Files.checkTrusted(path)
        try to.files.prepare()
        let rows = try to.files.carriedRows(of: strategy)
        do {
            try Gzip.unpack(path, into: rows)
            try rows.sync()
            guard let handOver = TradeRecords.handOver(in: rows.temporaryPath) else {
                throw Failure("\(path) is no file that --give has written")
            }
            guard handOver.strategy == strategy, handOver.to == to.partition else {
                throw Failure("\(path) has \(handOver.strategy), which goes to \(handOver.to)")
            }
            try body(handOver, rows.temporaryPath)
            try rows.discard()
            return handOver
        } catch {
            try rows.discard()
            throw error
        }
    }
}
