import Glibc
import TradingCore

/// What the guard's thread does.
final class ConnectionWatch {
    private let connections: OwnConnections
    private let sockets: [LocalEndpoint: ConnectionSight.Socket]
    private let traffic: ConnectionTraffic
    private let isStopping: Locked<Bool>
    private let tell: @Sendable (String) -> Void
    private let memory: ResidentMemory
    private let clock = SystemClock()
    private var rules: ConnectionRules
    private var cuts = CutReport()

    private var lastLook: MonotonicTime
    private var residentAtLastLook: Int64 = 0
    private var lastCut: MonotonicTime?

    /// How often memory is asked for, which is cheap, and how soon all connections are looked at in any case.
    private static let pause = Microseconds.milliseconds(20)
    private static let lookInterval = Microseconds.milliseconds(250)
    /// How much memory must have grown for all to be looked at before that, in bytes.
    private static let growthOfNote: Int64 = 4 << 20
    /// For so long after a cut all are looked at every time, and far more often: who is cut comes again.
    private static let alert = Microseconds.seconds(10)
    private static let alertPause = Microseconds.milliseconds(2)
    /// How many times longer than a look the pause after it is at least, so that looking never takes much of a core.
    private static let pauseOfLook: Int64 = 10

    init(
        _ sockets: [LocalEndpoint: ConnectionSight.Socket], _ traffic: ConnectionTraffic, _ isStopping: Locked<Bool>,
        _ tell: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        self.sockets = sockets
        self.traffic = traffic
        self.isStopping = isStopping
        self.tell = tell
        connections = try OwnConnections(Set(sockets.keys))
        memory = try ResidentMemory()
        rules = ConnectionRules(
            residentBytes: memory.bytes(), connectionsMax: try ProcessDescriptors.connectionsMax(sockets: 2))
        lastLook = clock.monotonic()
    }

    func run() {
        var pause = ConnectionWatch.pause
        while !isStopping.withLock({ $0 }) {
            usleep(UInt32(pause.count))
            let now = clock.monotonic()
            let isAlert = lastCut.map { now - $0 < ConnectionWatch.alert } ?? false
            pause = isAlert ? ConnectionWatch.alertPause : ConnectionWatch.pause
            let resident = memory.bytes()
            if isAlert || now - lastLook >= ConnectionWatch.lookInterval
                || resident - residentAtLastLook >= ConnectionWatch.growthOfNote
            {
                look(resident: resident, at: now)
                let took = clock.monotonic() - now
                pause = max(pause, Microseconds(took.count * ConnectionWatch.pauseOfLook))
            }
            if let line = cuts.takeLine(at: now) { tell(line) }
        }
    }

    private func look(resident: Int64, at now: MonotonicTime) {
        lastLook = now
        residentAtLastLook = resident
        // What is taken must have been read before, and what was handed over may be written after: so one is asked for
        // before all connections, the other after them.
        let taken = traffic.takeTaken()
        let seen = connections.list()
        let handed = traffic.takeHanded()
        let sights = seen.compactMap { connection in
            sockets[connection.endpoint].map { socket in
                ConnectionSight(
                    id: connection.inode, socket: socket, isCounted: connection.endpoint.isCounted,
                    read: connection.traffic.read, sent: connection.traffic.sent,
                    unsent: connection.traffic.unsent, taken: taken[connection.descriptor] ?? 0,
                    handed: handed[connection.descriptor] ?? 0)
            }
        }
        let verdict = rules.judge(sights, residentBytes: resident, at: now)
        connections.setClosed(Set(sockets.filter { verdict.closed.contains($0.value) }.keys))
        for connection in seen {
            guard let reason = verdict.cuts[connection.inode], let peer = connections.cut(connection) else { continue }
            lastCut = now
            cuts.add(reason, peer: peer)
        }
        if verdict.settles {
            ProcessMemory.giveBackFreed()
            rules.settle(residentBytes: memory.bytes())
        }
    }
}

/// What is said about connections that were cut, once a second at most.
struct CutReport {
    private var counts: [ConnectionVerdict.Reason: Int] = [:]
    private var lastPeer = ""
    private var lastLine: MonotonicTime?

    mutating func add(_ reason: ConnectionVerdict.Reason, peer: String) {
        counts[reason, default: 0] += 1
        lastPeer = peer
    }

    mutating func takeLine(at now: MonotonicTime) -> String? {
        guard !counts.isEmpty else { return nil }
        if let lastLine, now - lastLine < .seconds(1) { return nil }
        lastLine = now
        defer { counts = [:] }
        let parts = ConnectionVerdict.Reason.allCases.compactMap { reason in
            counts[reason].map { "\($0) since \(reason.text)" }
        }
        return
            "cut \(counts.values.reduce(0, +)) connections, the last from \(lastPeer): \(parts.joined(separator: "; "))"
    }
}
