import AlpacaAPI
import CurlTransport
import Glibc
import HostSystem
package import Logging
import TradeJournal
import TradingCore
import ZeroMQMessaging

/// The worker as a process: wires it to the real world and lets it run until it is told to stop.
package enum WorkerProcess {
    /// Why the process cannot start or go on: one line that says what and what to do.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
        /// Whether the database is damaged or contradicts itself, so that starting again does not help.
        package var databaseIsBroken = false
    }

    /// Runs until SIGTERM, SIGINT or SIGHUP has come and the attempt under way is finished.
    /// - Parameter ready: Called with a line about itself once decisions are taken.
    package static func run(
        _ configuration: Configuration, log: Logger, ready: (String) -> Void
    ) throws(Failure) {
        // What the libraries do at the exit is as much code again.
        defer { ProcessMemory.giveBackCode() }
        do {
            // Before ZeroMQ starts its threads, which inherit what is blocked.
            let signals = try StopSignals()
            try ProcessDescriptors.raiseLimit()
            ProcessMemory.keepFreedMemory()
            TradeJournal.spareStatistics()
            ProcessMemory.giveBackCode()
            ProcessPrivacy.keepNewFilesFromOthers()
            let service = try ServiceReport(ProcessEnvironment.all(), log: log)
            let watchedLimits = try configuration.limits.map { try LimitsFile.watch($0) }
            let partitionMap = try configuration.partitionMap.map { try PartitionMapFile.watch($0) }
            let directory = try StateDirectory(configuration.stateDirectory)
            if let open = try Files.directoryThatOthersCanChange(above: directory.path + "/trades.db") {
                log.warning("others can write in \(open): they can halt trading, and put another database there")
            }
            let journal = try TradeJournal(path: StateDirectory.databasePath(in: directory.path))
            let databaseFiles = try DatabaseFiles(StateDirectory.databasePath(in: directory.path))
            let context = try ZeroMQContext()
            // Before the sockets that it guards.
            let gate = try AccessGate(configuration.access, in: context, log: log)
            let guards = try EndpointGuards(configuration)
            try guards.prepare()
            let intake = try IntakeSocket(
                configuration.intake, pull: configuration.pullIntake, guard: guards.socketGuard, in: context)
            let topic = try OutcomeSocket(
                configuration.outcomes, guard: guards.socketGuard(configuration.outcomes), in: context)
            try guards.open()
            let traffic = ConnectionTraffic()
            let transport = try HTTPTransport(configuration.brokerAccess)
            let clock = try HostClock()
            let probe: any WorkerProbe = try KillProbe(ProcessEnvironment.all()) ?? NoProbe()
            try SettingsRecord(configuration, limits: watchedLimits?.content, keyList: gate.keyList)
                .keep(journal, at: clock.read().moment)
            let limits = try watchedLimits.map { SendLimits($0, line: try transport.openLookUpLine()) }
            let worker = try Worker(
                settings: configuration.worker, journal: journal,
                intake: ZeroMQIntake(
                    intake, behind: gate, credentials: configuration.credentials, traffic: traffic), topic: topic,
                placement: transport.openPlacementLine(), lookUps: transport.openLookUpLine(),
                warmUpLine: transport.openLookUpLine(),
                halts: HaltFiles(in: directory), limits: limits, partitionMap: partitionMap,
                moveRequests: MoveFiles(in: directory), clock: clock, executionIDs: TimeOrderedUUIDs(), probe: probe,
                log: log)
            if let service {
                worker.whileBusy = { service.loopTurned(at: clock.read().monotonic, "taking in a strategy") }
            }
            let partition = configuration.worker.partition
            var about = "intake=\(intake.endpoint) outcomes=\(topic.endpoint) partition=\(partition)"
            if let pull = intake.pullEndpoint { about += " pull_intake=\(pull)" }
            ProcessMemory.giveBackCode()
            let connections = try ConnectionGuard(
                intake: [intake.endpoint, intake.pullEndpoint].compactMap(\.self), outcomes: [topic.endpoint],
                traffic: traffic, tell: { log.warning("\($0)") })
            log.notice("trading at \(configuration.brokerURL), state in \(directory.path)")
            if let path = configuration.limits { log.notice("every order is held against the limits of \(path)") }
            if let map = worker.partitionMapInForce {
                let path = configuration.partitionMap ?? ""
                log.notice("takes decisions of its own strategies only, by \(path) (epoch \(map.epoch))")
            }
            ready("ready \(about)")
            service?.ready()
            let loop = WorkerLoop(
                worker: worker, journal: journal, databaseFiles: databaseFiles, gate: gate, guards: guards,
                intake: intake, topic: topic, transport: transport,
                signals: signals, clock: clock, service: service, log: log)
            try withExtendedLifetime(connections) { try loop.run() }
            // Closing everything is as much code as opening it.
            ProcessMemory.giveBackCode()
        } catch let failure as Failure {
            throw failure
        } catch let error as ZeroMQError where error.isAddressInUse {
            throw Failure(
                description: "\(error); another program has this endpoint: stop it, or choose others with "
                    + "--intake and --outcomes")
        } catch let fault as JournalFault {
            throw Failure(fault)
        } catch WorkerFault.journal(let fault) {
            throw Failure(fault)
        } catch {
            throw Failure(description: "\(error)")
        }
    }
}

extension WorkerProcess.Failure {
    fileprivate init(_ fault: JournalFault) {
        guard fault.needsAPerson else {
            self.init(description: "\(fault)")
            return
        }
        self.init(
            description:
                "\(fault); nothing is taken or sent. Keep a copy of the state directory, then mend trades.db or "
                + "restore it from a backup: what it does not know is looked up at the broker, and nothing is sent twice",
            databaseIsBroken: true)
    }
}
