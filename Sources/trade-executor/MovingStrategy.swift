import Glibc
import HostSystem
import StrictJSON
import TradeRecords
import TradeWorker
import TradingCore

/// Drives a move: asks the two workers for one step after another, and waits until each has stored it. Where the move
/// stands is in their databases and in the map, so that it can be gone on with at any time.
struct MovingStrategy {
    let strategy: StrategyName
    let mapPath: String
    let fromStateDirectory: String?
    let toStateDirectory: String?
    let timeout: Microseconds
    /// Says what is done: a word, and a line.
    let tell: (String, String) -> Void

    /// The worker at one end.
    struct End {
        let partition: PartitionName
        let stateDirectory: String
        let records: TradeRecords
        var files: MoveFiles { MoveFiles(stateDirectory: stateDirectory) }
    }

    // MARK: Moving

    func move(to destination: PartitionName) throws {
        let map = try PartitionMapOptions.read(mapPath)
        guard map.places[destination] != nil else { throw Failure("the map has no partition \(destination)") }
        guard let owner = map.partition(of: strategy) else {
            throw Failure("\(strategy) is in no partition; give it one by an edit of the map")
        }
        let to = try end(destination, toStateDirectory)
        guard owner != destination else { return try finish(at: to, epoch: map.epoch) }
        let from = try end(owner, fromStateDirectory)
        try checkHalts(from, to)

        let id = try drain(from, to: destination, .release)
        try carryOver(id, from, to)
        try checkHalts(from, to)
        let epoch = try switchMap(from: owner, to)
        try takeHaltAlong(from, to)
        try open(id, from, to, epoch: epoch)
    }

    /// Has the old worker finish what it has accepted.
    /// - Parameter action: To let go of it, or to do that for another machine.
    /// - Returns: Which move it is: also one that was begun before.
    func drain(_ from: End, to destination: PartitionName, _ action: MoveRequest.Action) throws -> String {
        if let last = try from.records.lastMove(of: strategy), !last.step.takesDecisions, last.step != .gone {
            let asked = try from.files.request(of: strategy)
            // What was begun with both workers at hand may have come to the other one already, and the other way round.
            let others: [MoveRequest.Action] = action == .release ? [.releaseToCarry, .handOver] : [.release]
            guard last.step == .draining || last.step == .released, last.partition == destination,
                asked?.id != last.id || !others.contains(where: { $0 == asked?.action })
            else {
                throw Failure(
                    "\(strategy) is moving between \(from.partition) and \(last.partition) already (\(last.step.rawValue)); "
                        + "finish that, or say --abandon")
            }
            tell("resumed", "going on with the move that was begun before")
        } else {
            let id = Self.newID()
            try from.files.prepare()
            try from.files.ask(MoveRequest(action, strategy, id: id, partition: destination))
        }
        try wait(from, "takes no more decisions of it") { $0?.step == .draining || $0?.step == .released }
        tell("draining", "\(from.partition) takes no new decisions of \(strategy), and finishes what it has")
        var told = 0
        try wait(from, "has finished what it had accepted of it") { last in
            if last?.step == .released { return true }
            told += 1
            if told % 100 == 0 {
                let left = try from.records.unfinished(of: strategy)
                tell("waiting", "\(left.waiting) decisions wait, \(left.unknown) attempts are under way or unknown")
            }
            return false
        }
        guard let last = try from.records.lastMove(of: strategy), last.step == .released else {
            throw Failure("\(from.partition) has changed its mind; is there another move?")
        }
        return last.id
    }

    /// Has the new worker take in what the old one knows, which does not change any more.
    private func carryOver(_ id: String, _ from: End, _ to: End) throws {
        if let last = try to.records.lastMove(of: strategy), last.id == id {
            guard last.step == .imported else {
                throw Failure("this move is being abandoned; say --abandon, and then begin anew")
            }
            return
        }
        try to.files.prepare()
        try to.files.clearNewRows(of: id)
        try to.files.clearTries(of: id)
        try from.records.export(strategy, to: to.files.newRowsPath(of: id))
        do {
            try checkSize(of: to.files.newRowsPath(of: id))
        } catch {
            try to.files.clearNewRows(of: id)
            throw error
        }
        try to.files.offerRows(of: id, from: to.files.newRowsPath(of: id))
        try to.files.ask(MoveRequest(.import, strategy, id: id, partition: from.partition))
        try wait(to, "has taken in what \(from.partition) knows (its log and `status` say why it might not)") {
            $0?.id == id && $0?.step == .imported
        }
        tell("imported", "\(to.partition) has all that \(from.partition) knows of \(strategy)")
    }

    /// The edit of the map, from which there is no way back but another move.
    func switchMap(from: PartitionName, _ to: End) throws -> Int64 {
        var map = try PartitionMapOptions.read(mapPath)
        guard map.partition(of: strategy) == from else {
            throw Failure(
                "the map was edited meanwhile: \(strategy) is not \(from)'s any more; say --abandon")
        }
        guard map.epoch < PartitionMapFile.epochMax else { throw Failure("there is no higher epoch") }
        map.epoch += 1
        map.strategies[strategy] = to.partition
        let lines = PrettyJSON.lines(Array(map.json.text.utf8)) ?? [map.json.text]
        try Files.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: mapPath, othersMayRead: true)
        tell("switched", "the map gives \(strategy) to \(to.partition) as of epoch \(map.epoch)")
        return map.epoch
    }

    private func open(_ id: String, _ from: End, _ to: End, epoch: Int64) throws {
        try wait(from, "has the map of epoch \(epoch)") { $0?.id != id || $0?.step == .gone }
        try wait(to, "has opened") { $0?.id != id || $0?.step == .opened }
        try from.files.clear(strategy, id: id)
        try to.files.clear(strategy, id: id)
        tell("opened", "\(to.partition) serves \(strategy)")
    }

    /// The map gives the strategy to its destination already: there may be something left to do.
    private func finish(at to: End, epoch: Int64) throws {
        let last = try to.records.lastMove(of: strategy)
        switch last?.step {
        case nil, .kept: return tell("opened", "\(to.partition) serves \(strategy) already")
        case .gone:
            throw Failure(
                "the map gives \(strategy) to \(to.partition), which does not serve it, since "
                    + "\(last?.partition.text ?? "another") knows more of it. Edit the map to give it back, and move it then; "
                    + "or, where that worker's database is lost, say --take \(to.partition)")
        case .draining, .released, .handedOver:
            throw Failure("\(to.partition) is about to let go of \(strategy); finish that move, or say --abandon")
        case .imported, .opened: break
        }
        guard let last, last.partition != to.partition else {
            return tell("opened", "\(to.partition) serves \(strategy) already")
        }
        try open(last.id, try end(last.partition, fromStateDirectory), to, epoch: epoch)
    }

    // MARK: Taking what is there

    /// Has a worker serve a strategy of which another one knew more.
    func take(at partition: PartitionName) throws {
        let map = try PartitionMapOptions.read(mapPath)
        guard map.partition(of: strategy) == partition else {
            throw Failure("the map does not give \(strategy) to \(partition); edit it first")
        }
        let to = try end(partition, toStateDirectory)
        let last = try to.records.lastMove(of: strategy)
        guard let last, last.step == .gone else {
            if let last, last.step == .handedOver { throw Failure(Self.isHandedOver(last)) }
            throw Failure("\(partition) does not hold \(strategy) back: there is nothing to take")
        }
        let id = Self.newID()
        try to.files.prepare()
        try to.files.ask(MoveRequest(.take, strategy, id: id, partition: last.partition))
        try wait(to, "has opened (with the map's epoch \(map.epoch))") { $0?.id == id && $0?.step == .opened }
        try to.files.clear(strategy, id: id)
        tell("opened", "\(to.partition) serves \(strategy), with what it knows of it")
    }

    private static func newID() -> String {
        String((0..<16).map { _ in "0123456789abcdef".randomElement() ?? "0" })
    }

    // MARK: Abandoning

    /// - Parameter refusedPath: Of what was handed over: the file by which the other worker's machine says that it is not
    ///   taken there.
    func abandon(refusedPath: String?) throws {
        let map = try PartitionMapOptions.read(mapPath)
        guard let owner = map.partition(of: strategy) else { throw Failure("\(strategy) is in no partition") }
        let from = try end(owner, fromStateDirectory)
        let last = try from.records.lastMove(of: strategy)
        if let refusedPath { return try takeBack(refusedPath, last, from) }
        guard let last, last.step == .draining || last.step == .released else {
            if let last, last.step == .handedOver { throw Failure(Self.isHandedOver(last)) }
            throw Failure("\(strategy) is \(owner)'s, and not about to leave it: there is nothing to abandon")
        }
        // What is to be handed over is at no other worker yet; and what was asked to be kept was dropped there before.
        let asked = try from.files.request(of: strategy)
        let isElsewhere = asked?.id != last.id || asked?.action == .release
        if last.step == .released, isElsewhere {
            let to = try end(last.partition, toStateDirectory)
            try to.files.prepare()
            try to.files.ask(MoveRequest(.drop, strategy, id: last.id, partition: from.partition))
            try wait(to, "has let go of it") { $0?.id == last.id && ($0?.step == .gone || $0?.step == .kept) }
            try to.files.clear(strategy, id: last.id)
        }
        try keep(MoveRequest(.keep, strategy, id: last.id, partition: last.partition), at: from)
    }

    /// Has the old worker go on as before.
    func keep(_ request: MoveRequest, at from: End) throws {
        try from.files.ask(request)
        var step: StrategyMove.Step?
        try wait(from, "takes decisions of it again") { now in
            step = now?.id == request.id ? now?.step : nil
            return step == .gone || step == .kept || request.action == .keep && step == .handedOver
        }
        try from.files.clear(strategy, id: request.id)
        if step == .handedOver, let last = try from.records.lastMove(of: strategy) {
            throw Failure(Self.isHandedOver(last))
        }
        if step == .gone {
            return tell(
                "gone", "\(from.partition) does not serve \(strategy), as before: another worker knows more of it")
        }
        tell("kept", "\(from.partition) serves \(strategy) as before")
    }

    // MARK: What it stands on

    func end(_ partition: PartitionName, _ stateDirectory: String?) throws -> End {
        var flags: [Setting: String] = [.partition: partition.text]
        flags[.stateDirectory] = stateDirectory
        // A setting of the environment would be the same for both.
        var environment = ProcessEnvironment.all()
        environment[Setting.stateDirectory.environmentName] = nil
        let place = try WorkerPlace(flags: flags, environment: environment, file: nil)
        let records = try TradeRecords(path: StateDirectory.databasePath(in: place.stateDirectory))
        return End(partition: partition, stateDirectory: place.stateDirectory, records: records)
    }

    /// The halt that covers the strategy at the old worker and not at the new one. The strategy's own is not made up for by
    /// one of all, which may end before.
    private func haltLeftBehind(_ from: End, _ to: End) throws -> Halt? {
        let old = try HaltFiles(stateDirectory: from.stateDirectory).list()
        let new = try HaltFiles(stateDirectory: to.stateDirectory).list().map(\.scope)
        if new.contains(.strategy(strategy)) { return nil }
        return old.first { $0.scope == .strategy(strategy) }
            ?? (new.contains(.all) ? nil : old.first { $0.scope == .all })
    }

    /// One that was set while the map was being edited goes along.
    private func takeHaltAlong(_ from: End, _ to: End) throws {
        guard let halt = try haltLeftBehind(from, to) else { return }
        try set(halt, of: from.partition, at: to)
    }

    func set(_ halt: Halt, of from: PartitionName, at to: End) throws {
        var halt = halt
        halt.scope = .strategy(strategy)
        try HaltFiles(stateDirectory: to.stateDirectory).write(halt)
        try HaltHistory(stateDirectory: to.stateDirectory).append(HaltEvent(halt, at: SystemClock().now()))
        tell("halted", "\(strategy) was halted at \(from) meanwhile, and is now at \(to.partition)")
    }

    /// A halt does not end by a move.
    private func checkHalts(_ from: End, _ to: End) throws {
        guard try haltLeftBehind(from, to) != nil else { return }
        throw Failure(
            "\(strategy) is halted at \(from.partition) and not at \(to.partition), where it would trade: `resume` it "
                + "there, or `halt` it here too, and move then")
    }

    /// How much a worker takes in at once.
    private static var bytesMax: Int64 { 512 << 20 }

    /// The new worker takes the rows in at once and in memory, and does nothing else meanwhile.
    func checkSize(of rows: String) throws {
        let size = try Files.size(of: rows) ?? 0
        guard size <= Self.bytesMax else {
            throw Failure(
                "\(strategy) has \(size >> 20) MiB of rows, and what moves has \(Self.bytesMax >> 20) MiB at most: "
                    + "`archive` what has ended long ago before you move it (where the move has begun, say --abandon)")
        }
    }

    func wait(
        _ end: End, _ what: String, until isReached: (StrategyMove?) throws -> Bool
    ) throws {
        let clock = SystemClock()
        let limit = clock.monotonic() + timeout
        while true {
            var problem = ""
            do {
                if try isReached(try end.records.lastMove(of: strategy)) { return }
            } catch let fault as RecordsFault {
                // A worker that starts or ends holds its database for a moment.
                problem = " (\(fault))"
            }
            guard clock.monotonic() < limit else {
                throw Failure(
                    "not within \(timeout.count / 1_000_000) s that \(end.partition) \(what)\(problem). Is a worker running "
                        + "on \(end.stateDirectory), with this map? The same command goes on; --abandon undoes it")
            }
            usleep(50_000)
        }
    }
}
