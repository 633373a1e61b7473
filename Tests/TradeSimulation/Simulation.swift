import AlpacaAPI
import Foundation
import GRDB
import Logging
import OrderResolution
import SimulatedDisk
import TradeJournal
import TradeWorker
import TradingCore

/// One seed's world from beginning to end: the real worker with its real database code, in a process whose broker, disk,
/// sockets and clocks are simulated. A seed repeats everything.
package final class Simulation {
    private let seed: UInt64
    private let bug: PlantedBug?
    private var chance: Chance
    private var circumstances: Circumstances
    private let time = VirtualTime()
    private let halts = SimulatedHalts()
    private let limits: SimulatedLimits
    /// In some worlds the worker halts by itself, until an operator has seen it.
    private let automaticHalt: AutomaticHalt.Thresholds
    private var operatorChance: Chance
    private let disk: SimulatedDisk
    private let ledger: Ledger
    private let broker: SimulatedBroker
    private let bus: SimulatedBus
    private let subscriber: SimulatedSubscriber
    private let publishers: [SimulatedPublisher]

    private var life: Life
    private var worker: Worker<LifeIntake>?
    private var lifeCount = 0
    private var figures = Figures()
    private var diskDeaths = 0
    private var nextDeathIsPowerFailure = false
    private var isStarting = false
    private var isCalm = false
    /// A copy of the database, to be put in its place at a later death.
    private var backup: SimulatedDisk.Snapshot?
    private var restoresAtNextDeath = false
    private var wasRestored = false

    /// More lives than these teach nothing new.
    private static let livesMax = 60

    /// - Parameters:
    ///   - decisions: How many decisions the strategies make in all.
    ///   - bug: A bug to plant.
    ///   - trace: Is told what happens, line by line.
    package init(seed: UInt64, decisions: Int, bug: PlantedBug? = nil, trace: ((String) -> Void)? = nil) {
        self.seed = seed
        self.bug = bug
        chance = Chance(seed: seed, of: "world")
        circumstances = Circumstances.drawn(&chance)
        operatorChance = Chance(seed: seed, of: "operator")
        automaticHalt = AutomaticHalt.Thresholds(
            errorsInARow: operatorChance.happens(700) ? nil : Int(operatorChance.number(1...5)),
            unknown: operatorChance.happens(700) ? nil : Int(operatorChance.number(1...5)))
        if bug == .haltsAreNotSeen { circumstances.haltEvery = .seconds(60) }
        if bug == .diskLies { circumstances.deathIsPowerFailure = 900 }
        if bug == .diskLies || bug == .acknowledgesEarly { circumstances.lifeSpan = .seconds(20) }
        let mayOvertake = circumstances.haltEvery != nil || circumstances.settings.holdsStrategyOfUnknown
        limits = SimulatedLimits(circumstances, seed: seed, time: time, bug: bug)
        ledger = Ledger(time: time, halts: halts, limits: limits, mayOvertake: mayOvertake, bug: bug, trace: trace)
        disk = SimulatedDisk(name: "seed-\(seed)-\(UUID().uuidString)", seed: chance.seed())
        disk.honoursSyncs = bug != .diskLies
        broker = SimulatedBroker(circumstances, seed: seed, time: time, ledger: ledger, bug: bug)
        bus = SimulatedBus(circumstances, seed: seed, time: time)
        subscriber = SimulatedSubscriber(circumstances, seed: seed, bus: bus, time: time, ledger: ledger)
        life = Life(number: 0, on: disk)
        let each = max(1, decisions / Int(circumstances.strategies))
        publishers = (1...circumstances.strategies).map { [circumstances, bus, time, ledger] number in
            SimulatedPublisher(
                circumstances, number: number, decisions: each, seed: seed, bus: bus, time: time, ledger: ledger)
        }
        bus.subscribers = [subscriber]
        halts.operatorSees = { [unowned self] halt in
            ledger.note("the worker halts: \(halt.reason ?? "")")
            time.after(operatorChance.duration(upTo: .seconds(300))) { [self] in
                halts.resume(halt, at: time.reading.moment)
            }
        }
        ledger.truth = { [broker] in broker.truth(of: $0) }
    }

    /// Makes what SQLite makes up of itself repeatable too, so that a seed repeats every byte. For programs that simulate
    /// on one thread and do nothing else.
    package static func repeatEverything(of seed: UInt64) {
        SimulatedDisk.repeatWhatSQLiteMakesUp(seed: seed, time: 1_795_530_600_000)
    }

    /// Runs the world to its end.
    package func run() -> (figures: Figures, violation: Violation?) {
        ledger.note("\(circumstances)")
        if let limits = limits.limits { ledger.note("limits: \(limits.lines)") }
        life.end()
        startLife()
        planTroubles()
        run(until: { publishers.allSatisfy(\.isDone) }, within: .seconds(90 * 86_400), or: .goesOn)
        calmDown()
        // What is still on its way arrives.
        runOn(for: .seconds(60))
        run(until: { isAtRest() }, within: .seconds(6 * 3600), or: .everyEnd)
        // The broker may not have shown yet that an order has become something else; nothing may come of that.
        runOn(for: .seconds(120))
        let bodies = ledger.audit() ?? []
        run(until: { subscriber.bodies.count >= bodies.count }, within: .seconds(600), or: .replay)
        if ledger.violation == nil {
            if subscriber.bodies != bodies { ledger.violate(.replay, "the subscriber has other outcomes") }
            ledger.judgeEnds(bodies)
        }
        var figures = ledger.figures + figures
        figures.seeds = 1
        figures.lives = lifeCount
        figures.seconds = Int(time.now.microseconds / 1_000_000)
        return (figures, ledger.violation)
    }

    // MARK: The loop

    private func run(until isDone: () -> Bool, within longest: Microseconds, or invariant: Invariant) {
        let end = time.now + longest
        while ledger.violation == nil, !isDone() {
            guard time.now < end else {
                return ledger.violate(invariant, "not done after \(longest.count / 1_000_000) s")
            }
            step()
        }
    }

    private func runOn(for duration: Microseconds) {
        let end = time.now + duration
        while ledger.violation == nil, time.now < end { step() }
    }

    /// The worker does what it can, and time goes on to the next thing that happens.
    private func step() {
        if let worker, life.isAlive { turn(worker) }
        if !life.isAlive { bury() }
        var next = time.nextEvent
        if let worker, life.isAlive {
            let wakeUp = clock.trueTime(of: worker.nextWakeUp)
            next = next.map { min($0, wakeUp) } ?? wakeUp
            spins = wakeUp <= time.now ? spins + 1 : 0
            if spins > 1000 { ledger.violate(.goesOn, "the worker spins: it wakes up to do nothing") }
        }
        guard let next else { return ledger.violate(.goesOn, "nothing happens any more") }
        time.advance(to: max(next, time.now + Microseconds(20)))
    }

    /// How many times in a row the worker was not asleep and did nothing.
    private var spins = 0
    private var clock: LifeClock { LifeClock(time: time, bug: bug) }

    private func turn(_ worker: Worker<LifeIntake>) {
        do {
            var turns = 0
            while try worker.turn(), life.isAlive {
                turns += 1
                if turns > 10_000 { return ledger.violate(.goesOn, "the worker never sleeps") }
            }
        } catch {
            guard life.isAlive else { return }
            ledger.violate(.goesOn, "the worker stops: \(error)")
        }
        if life.isAlive, worker.isDrained {
            figures.deaths["stop", default: 0] += 1
            life.end()
        }
    }

    private func isAtRest() -> Bool {
        guard life.isAlive, time.now >= restAskedAt + .seconds(1) else { return false }
        restAskedAt = time.now
        return ledger.somethingIsOpen() == false
    }

    private var restAskedAt = MonotonicTime(microseconds: 0)

    // MARK: Lives

    private func startLife() {
        isStarting = false
        guard !life.isAlive else { return }
        lifeCount += 1
        diskDeaths = disk.deathCount
        life = Life(number: lifeCount, on: disk)
        ledger.note("life \(lifeCount) begins")
        do {
            let journal = try TradeJournal(path: disk.databasePath)
            if let trigger = bug?.trigger, lifeCount == 1 { try plant(trigger) }
            try openForLooking()
            if wasRestored { tellOfRestore(journal) }
            bus.listen(life)
            worker = try makeWorker(journal)
            ledger.audit()
            planDeath()
        } catch {
            let isTroubled = disk.condition != .working || disk.capacity != nil || !life.isAlive
            if !isTroubled { ledger.violate(.goesOn, "the worker cannot start: \(error)") }
            ledger.note("life \(lifeCount) does not begin: \(error)")
            life.end()
        }
    }

    private func makeWorker(_ journal: TradeJournal) throws -> Worker<LifeIntake> {
        guard let partition = PartitionName("p0") else { preconditionFailure("p0 is a name") }
        var settings = WorkerSettings(partition: partition)
        settings.settleTime = Circumstances.settleTime
        settings.onUnknown = circumstances.settings.holdsStrategyOfUnknown ? .holdStrategy : .continue
        settings.requestsPerMinute = circumstances.settings.requestsPerMinute
        settings.queueMax = circumstances.settings.queueMax
        settings.maxAge = circumstances.settings.maxAge
        settings.automaticHalt = automaticHalt
        settings.haltHolds = seed.isMultiple(of: 2)
        settings.heartbeatInterval = circumstances.settings.heartbeatInterval
        let lifeLimits = limits.limits.map { limits in
            SendLimits(
                LifeLimits(limits, Chance(seed: seed, of: "limits of \(lifeCount)"), bug: bug),
                line: LifeLine(broker, ledger, life))
        }
        let probe = DeathAtPoint(life: life, plan: deathAtPoint())
        return try Worker(
            settings: settings, journal: journal, intake: LifeIntake(bus: bus, life: life, bug: bug),
            topic: LifeTopic(bus: bus, ledger: ledger, life: life, bug: bug),
            placement: LifeLine(broker, ledger, life), lookUps: LifeLine(broker, ledger, life),
            warmUpLine: LifeLine(broker, ledger, life),
            halts: LifeHalts(halts: halts, life: life, bug: bug), limits: lifeLimits, clock: clock,
            executionIDs: LifeIDs(Chance(seed: seed, of: "ids of \(lifeCount)")), probe: probe,
            log: Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private func deathAtPoint() -> DeathAtPoint.PassCounter? {
        guard isMortal, chance.happens(500) else { return nil }
        let point = chance.pick(DeathPoint.allCases.filter { !$0.isInsideTransfer })
        return DeathAtPoint.PassCounter(point, passes: chance.number(1...20))
    }

    private var isMortal: Bool { circumstances.lifeSpan != nil && lifeCount < Simulation.livesMax && !isCalm }

    private func plant(_ trigger: String) throws {
        try DatabaseQueue(path: disk.databasePath).write { try $0.execute(sql: trigger) }
    }

    private func openForLooking() throws {
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        ledger.database = try DatabaseQueue(path: disk.databasePath, configuration: configuration)
    }

    /// How this life ends, unless it does at a point of a turn.
    private func planDeath() {
        guard isMortal, let span = circumstances.lifeSpan else { return }
        let life = life
        time.after(chance.duration(upTo: Microseconds(span.count * 4))) { [self] in
            guard life.isAlive, !isCalm else { return }
            let isPowerFailure = chance.happens(circumstances.deathIsPowerFailure)
            switch chance.number(0...9) {
            case 0...3: end(life, byPowerFailure: isPowerFailure)
            case 4...7:
                nextDeathIsPowerFailure = isPowerFailure
                disk.schedule(
                    isPowerFailure ? .powerFailure : .kill, afterOperations: Int(chance.number(0...60)))
            default: worker?.drain()
            }
        }
    }

    private func end(_ life: Life, byPowerFailure: Bool) {
        nextDeathIsPowerFailure = byPowerFailure
        life.die(byPowerFailure: byPowerFailure)
    }

    /// What is left to do after a death: the next life is planned.
    private func bury() {
        guard !isStarting else { return }
        isStarting = true
        ledger.note("life \(lifeCount) has ended")
        if disk.deathCount != diskDeaths {
            figures.deaths[nextDeathIsPowerFailure ? "power_failure" : "kill", default: 0] += 1
            if nextDeathIsPowerFailure { time.reboot() }
        }
        nextDeathIsPowerFailure = false
        worker = nil
        ledger.database = nil
        bus.hangUp()
        if restoresAtNextDeath, let backup {
            restoresAtNextDeath = false
            wasRestored = true
            figures.deaths["restore", default: 0] += 1
            ledger.note("the database is restored from a copy")
            disk.restore(backup)
            bus.forgetWhatIsOnItsWay()
        }
        // Nobody restores a database within the settle time; a request that was on its way has arrived by then.
        let pause: Microseconds = wasRestored ? .seconds(60) : .zero
        time.after(pause + chance.duration(upTo: .seconds(20))) { [self] in startLife() }
    }

    private func tellOfRestore(_ journal: TradeJournal) {
        wasRestored = false
        ledger.forgetWhatWasLost()
        subscriber.keepOnly(Int(journal.lastNumbers.seq))
        for publisher in publishers { publisher.tellAgain() }
    }

    // MARK: Troubles

    private func planTroubles() {
        repeating(circumstances.diskTroubleEvery) { [self] in
            if chance.happens(200) {
                disk.capacity = disk.size + Int(chance.number(0...200_000))
            } else {
                disk.condition = chance.pick([.full, .readOnly, .failingWrites, .failingSyncs, .failingReads])
            }
            ledger.note("the disk is \(disk.condition)")
            time.after(chance.duration(upTo: .seconds(90))) { [self] in mendDisk() }
        }
        repeating(circumstances.clockJumpEvery) { [self] in
            time.setCalendar(off: chance.happens(300) ? .zero : .seconds(chance.number(-172_800...172_800)))
        }
        repeating(circumstances.haltEvery) { [self] in
            let strategy = StrategyName("strategy-\(chance.number(1...circumstances.strategies))")
            let scope = chance.happens(300) ? nil : strategy.map(Halt.Scope.strategy)
            halts.inForce.append(Halt(scope ?? .all, hold: chance.happens(500)))
            time.after(chance.duration(upTo: .seconds(120))) { [self] in
                if !halts.inForce.isEmpty { halts.inForce.removeFirst() }
            }
        }
        repeating(circumstances.outageEvery) { [self] in
            broker.isDown = true
            time.after(chance.duration(upTo: .seconds(300))) { [self] in broker.isDown = false }
        }
        if circumstances.losesDatabase {
            time.after(chance.duration(upTo: Microseconds(circumstances.pause.count * 20))) { [self] in
                backup = disk.snapshot()
                time.after(chance.duration(upTo: Microseconds(circumstances.pause.count * 20))) { [self] in
                    guard !isCalm else { return }
                    restoresAtNextDeath = true
                    end(life, byPowerFailure: false)
                }
            }
        }
    }

    private func repeating(_ interval: Microseconds?, _ action: @escaping () -> Void) {
        guard let interval else { return }
        time.after(chance.duration(upTo: Microseconds(interval.count * 3))) { [self] in
            guard !isCalm else { return }
            action()
            repeating(interval, action)
        }
    }

    private func mendDisk() {
        disk.condition = .working
        disk.capacity = nil
    }

    /// From now on nothing goes wrong any more, and the last orders end.
    private func calmDown() {
        ledger.note("all troubles end")
        isCalm = true
        circumstances = circumstances.calmed()
        broker.circumstances = circumstances
        bus.circumstances = circumstances
        subscriber.circumstances = circumstances
        broker.isDown = false
        halts.inForce = []
        mendDisk()
        endOrders()
    }

    private func endOrders() {
        broker.endAllOrders()
        time.after(.seconds(300)) { [self] in endOrders() }
    }
}
