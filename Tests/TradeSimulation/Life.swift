import AlpacaAPI
import Logging
import OrderResolution
import SimulatedDisk
import StrictJSON
import TradeJournal
import TradeWorker
import TradingCore

/// One life of the worker's process: the worker, and the edges through which it sees the world. When it has died, its
/// edges do nothing any more: the code may run on to the end of its turn, as no process does, without anybody noticing.
final class Life {
    let number: Int
    private let disk: SimulatedDisk
    private let bornAtDeath: Int
    private var isOver = false

    init(number: Int, on disk: SimulatedDisk) {
        self.number = number
        self.disk = disk
        bornAtDeath = disk.deathCount
    }

    /// A disk in the midst of whose work the process was to die has ended it too.
    var isAlive: Bool { !isOver && disk.deathCount == bornAtDeath }

    func die(byPowerFailure: Bool) {
        guard isAlive else { return }
        isOver = true
        if byPowerFailure { disk.losePower() } else { disk.killProcess() }
    }

    /// The process has ended by itself.
    func end() { isOver = true }
}

/// Lets the worker die at a point of its turn.
struct DeathAtPoint: WorkerProbe {
    let life: Life
    /// Where, and after passing it how many times; nil for never.
    let plan: PassCounter?

    final class PassCounter {
        let point: DeathPoint
        var passesLeft: Int64

        init(_ point: DeathPoint, passes: Int64) {
            self.point = point
            passesLeft = passes
        }
    }

    func pass(_ point: DeathPoint) {
        guard let plan, plan.point == point, life.isAlive else { return }
        plan.passesLeft -= 1
        if plan.passesLeft == 0 { life.die(byPowerFailure: false) }
    }
}

struct LifeClock: WorkerClock {
    let time: VirtualTime
    let bug: PlantedBug?

    private var slowness: Int64 { bug == .clockRunsSlow ? 4 : 1 }

    func read() -> ClockReading {
        var reading = time.reading
        reading.monotonic = MonotonicTime(microseconds: reading.monotonic.microseconds / slowness)
        return reading
    }

    /// When the worker's clock will show a time, in true time.
    func trueTime(of monotonic: MonotonicTime) -> MonotonicTime {
        let (microseconds, overflow) = monotonic.microseconds.multipliedReportingOverflow(by: slowness)
        return time.trueTime(of: overflow ? monotonic : MonotonicTime(microseconds: microseconds))
    }
}

final class LifeIDs: ExecutionIDs {
    private var chance: Chance

    init(_ chance: Chance) { self.chance = chance }

    func next(at time: Timestamp) -> String { chance.uuid() }
}

/// Halts that come and go.
final class SimulatedHalts {
    var inForce: [Halt] = []
    /// The history of halts, as its file.
    var history: [UInt8] = []
    /// Is told of a halt that the worker has made.
    var operatorSees: (Halt) -> Void = { _ in }

    func record(_ event: HaltEvent) { history += Array((event.json.text + "\n").utf8) }

    /// An operator ends a halt of the worker's.
    func resume(_ halt: Halt, at time: Timestamp) {
        guard inForce.contains(halt) else { return }
        record(HaltEvent(.resumed, halt.scope, reason: nil, by: "operator", at: time))
        inForce.removeAll { $0 == halt }
    }

    func halt(covering strategy: StrategyName) -> Halt? {
        inForce.first { $0.scope == .all } ?? inForce.first { $0.scope == .strategy(strategy) }
    }
}

struct LifeHalts: HaltSwitch {
    let halts: SimulatedHalts
    let life: Life
    let bug: PlantedBug?

    func halt(covering strategy: StrategyName) -> Halt? {
        bug == .haltsAreNotSeen ? nil : halts.halt(covering: strategy)
    }

    func all() -> [Halt] { halts.inForce }

    func namesOfNoHalt() -> [String] { [] }

    func isInForce(_ scope: Halt.Scope) -> Bool { halts.inForce.contains { $0.scope == scope } }

    func set(_ halt: Halt) {
        guard life.isAlive else { return }
        halts.inForce.append(halt)
        halts.operatorSees(halt)
    }

    func record(_ event: HaltEvent) {
        if life.isAlive { halts.record(event) }
    }

    func recorded(from position: Int64) -> HaltHistoryPage? {
        guard position < halts.history.count else { return nil }
        return HaltHistoryPage(Array(halts.history[Int(position)...].prefix(HaltHistoryPage.bytesMax)), from: position)
    }
}
