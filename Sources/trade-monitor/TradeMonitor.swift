import ArgumentParser
import Glibc
import HostSystem
import KeyFiles
import MonitorStore
import Monitoring
import TradingCore
import ZeroMQMessaging

@main
struct TradeMonitor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trade-monitor",
        abstract: "Shows what all partitions' workers do: a web page, Prometheus metrics, a JSON API. It cannot trade.",
        discussion: """
            It subscribes to the outcomes of every partition, asks again for what it missed, and keeps what it hears in \
            a store of its own, so that a restart shows the history. It prints one line `ready url=…` once it serves. \
            SIGTERM, SIGINT and SIGHUP end it with exit code 0. Exit code 1: it cannot go on, and says why in one line on \
            standard error. Exit code 64: wrong usage.

            /               the page
            /metrics        for Prometheus
            /healthz        200 while every partition is heard and what is heard can be stored, else 503
            /api/state      partitions and strategies
            /api/outcomes   outcomes, the newest first: since, before, partition, strategy, symbol, result, decision, limit
            /api/open       decisions that have not ended: result=unknown or pending
            /api/history    results and latencies over time: minutes, partition, strategy
            /api/failures   what fails, how often: partition, strategy
            /api/decision   a decision's story: partition, strategy, decision

            Whoever reaches the page can read everything on it, so it listens on this machine only unless told.
            """)

    @Option(
        name: .customLong("worker"),
        help: ArgumentHelp(
            "A partition to watch; repeatable: its name, its outcomes and its intake.",
            valueName: "NAME=OUTCOMES,INTAKE"))
    var workers: [String] = []

    @Option(
        help: ArgumentHelp("Watch all partitions of this map. It is read again when it changes.", valueName: "FILE"))
    var partitionMap: String?

    @Option(
        help: ArgumentHelp(
            "For workers that take known keys only: the monitor's own, the file that ends in .key_secret. Allow it with `trade-executor keys allow monitor --role read`.",
            valueName: "FILE"))
    var clientKey: String?

    @Option(
        help: ArgumentHelp(
            "The public key of workers whose key the map does not tell: 40 characters, or a file.", valueName: "KEY"))
    var serverPublicKey: String?

    @Option(
        help: ArgumentHelp(
            "A partition's state directory on this machine; repeatable. A decision's story then shows the requests and answers too. It is only read.",
            valueName: "NAME=DIR"))
    var stateDir: [String] = []

    @Option(help: ArgumentHelp("Where the page is served; port 0 is any free one.", valueName: "ADDRESS:PORT"))
    var listen = "127.0.0.1:9464"

    @Option(
        help: ArgumentHelp(
            "A name that this monitor may be called by, beside localhost and addresses; repeatable.", valueName: "NAME")
    )
    var hostName: [String] = []

    @Option(
        help: ArgumentHelp(
            "The monitor's own store. Default: monitor.db in $STATE_DIRECTORY, else in trade-monitor in $XDG_STATE_HOME or ~/.local/state.",
            valueName: "FILE"))
    var store: String?

    @Option(help: "Outcomes and charts older than so many days are let go. Totals stay.")
    var keepDays: Int64 = 30

    @Option(help: "Of a store larger than so many MiB the oldest outcomes are let go.")
    var keepMib: Int64 = 2048

    func validate() throws {
        guard !workers.isEmpty || partitionMap != nil else {
            throw ValidationError("Say what to watch: --partition-map FILE, or --worker NAME=OUTCOMES,INTAKE.")
        }
        for worker in workers where WatchedPartition(argument: worker) == nil {
            throw ValidationError(
                "--worker \(worker) is not NAME=OUTCOMES,INTAKE, such as p0=tcp://127.0.0.1:5556,tcp://127.0.0.1:5555.")
        }
        for directory in stateDir where directory.split(separator: "=", maxSplits: 1).count != 2 {
            throw ValidationError("--state-dir \(directory) is not NAME=DIR.")
        }
        guard (1...36_500).contains(keepDays) else { throw ValidationError("--keep-days is 1 to 36500.") }
        guard (1...1_000_000).contains(keepMib) else { throw ValidationError("--keep-mib is 1 to 1000000.") }
        guard address != nil else { throw ValidationError("--listen is ADDRESS:PORT, such as 127.0.0.1:9464.") }
        guard serverPublicKey == nil || clientKey != nil else {
            throw ValidationError("--server-public-key needs --client-key FILE too: the monitor's own.")
        }
    }

    private var address: (host: String, port: UInt16)? {
        guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[listen.index(after: colon)...]) else {
            return nil
        }
        let host = listen[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { return (String(host.dropFirst().dropLast()), port) }
        return host.isEmpty ? nil : (String(host), port)
    }

    func run() throws {
        do {
            // Before any thread is started.
            let signals = try StopSignals()
            try ProcessPrivacy.begin()
            ProcessPrivacy.keepNewFilesFromOthers()
            try watch(until: signals)
        } catch let error as ExitCode {
            throw error
        } catch {
            let bytes = Array("Error: \(error)\n".utf8)
            _ = write(STDERR_FILENO, bytes, bytes.count)
            throw ExitCode(1)
        }
    }

    private func watch(until signals: StopSignals) throws {
        guard let address else { preconditionFailure("it was looked at before") }
        let log = MonitorLog()
        let map = try partitionMap.map(PartitionMapReading.watch)
        let store = try MonitorStore(path: try storePath())
        // Two would count the same outcomes twice.
        guard try Files.lockForGood(store.path + ".lock") else {
            throw Failure(
                "another trade-monitor keeps its store in \(store.path); stop it, or say another with --store")
        }
        let monitor = try Monitor(
            store: store,
            retention: Retention(days: keepDays, bytesMax: keepMib << 20),
            ownKeys: try clientKey.map(KeyFile.secret),
            serverKey: try serverPublicKey.map { try KeyFile.publicKey($0).text }, log: log)
        let named = workers.compactMap(WatchedPartition.init(argument:))
        try monitor.watch(named + (map?.meaning.watched ?? []))
        monitor.start()
        let directories = stateDir.map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
        let answers = Answers(
            state: monitor.state, store: monitor.store, hosts: AllowedHosts(names: hostName),
            stateDirectories: directories.reduce(into: [:]) { $0[$1[0]] = $1[1] })
        let server = try WebServer.start(host: address.host, port: address.port, answers, log: log)
        print("ready url=http://\(server.address)")
        fflush(nil)
        while !signals.hasArrived() {
            usleep(200_000)
            if let map { look(at: map, monitor, named, log) }
        }
        server.stop()
        monitor.finish()
    }

    private func look(
        at map: WatchedFile<PartitionMap>, _ monitor: Monitor, _ named: [WatchedPartition], _ log: MonitorLog
    ) {
        switch map.look() {
        case .unchanged: break
        case .changed:
            do {
                try monitor.watch(named + map.meaning.watched)
                monitor.note(mapFault: nil)
                log.line("\(map.path) has changed: \(map.meaning.watched.map(\.name).joined(separator: ", "))")
            } catch {
                monitor.note(mapFault: "\(error)")
                log.line("\(map.path) has changed, and what was watched before still is: \(error)")
            }
        case .broken(let reason):
            monitor.note(mapFault: reason)
            log.line("what was watched before still is: \(reason)")
        }
    }

    private func storePath() throws -> String {
        if let store { return store }
        let environment = ProcessEnvironment.all()
        let directory: String
        if let own = environment["STATE_DIRECTORY"], own.hasPrefix("/") {
            directory = own
        } else if let base = environment["XDG_STATE_HOME"], base.hasPrefix("/") {
            directory = "\(base)/trade-monitor"
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            directory = "\(home)/.local/state/trade-monitor"
        } else {
            throw Failure("there is no home directory to keep the store in; say --store FILE")
        }
        try Files.makeDirectory(directory)
        return directory + "/monitor.db"
    }
}
