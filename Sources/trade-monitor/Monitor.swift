import HostSystem
import MonitorStore
import Monitoring
import TradingCore
import ZeroMQMessaging

/// The partitions that are watched, and what is known of them.
final class Monitor {
    let state: Locked<MonitoredState>
    let store: MonitorStore
    private let inbox = Inbox()
    private let storing: Storing
    private let ownKeys: CurveKeyPair?
    private let serverKey: String?
    private let log: MonitorLog
    private var followings: [String: PartitionFollowing] = [:]

    /// - Parameters:
    ///   - ownKeys: For workers that take known keys only.
    ///   - serverKey: The public key of workers whose own is not told.
    init(
        store: MonitorStore, retention: Retention, ownKeys: CurveKeyPair?, serverKey: String?, log: MonitorLog
    ) throws {
        self.store = store
        self.ownKeys = ownKeys
        self.serverKey = serverKey
        self.log = log
        var known = MonitoredState(startedAt: SystemClock().now())
        known.tallies = try store.tallies()
        state = Locked(known)
        storing = Storing(inbox, into: store, state, retention: retention, log: log)
    }

    func start() { storing.start() }

    /// Watches these partitions and no others. Those that are watched already, at the same place, are left alone.
    func watch(_ partitions: [WatchedPartition]) throws {
        var wanted: [String: (partition: WatchedPartition, keys: ClientKeys?)] = [:]
        for partition in partitions {
            guard wanted[partition.name] == nil else { throw Failure("the partition \(partition.name) is named twice") }
            wanted[partition.name] = (partition, try keys(for: partition))
        }
        for (name, following) in followings where wanted[name]?.partition != following.partition {
            following.stop()
            followings[name] = nil
            if wanted[name] == nil { state.withLock { $0.partitions[name] = nil } }
        }
        let positions = try store.positions()
        for (name, (partition, keys)) in wanted where followings[name] == nil {
            let seen = MonitoredPartition(
                name: name, outcomesEndpoint: partition.outcomes, intakeEndpoint: partition.intake,
                isEncrypted: keys != nil, position: positions[name], at: SystemClock().monotonic())
            state.withLock { $0.partitions[name] = seen }
            let following = PartitionFollowing(partition, keys: keys, inbox: inbox, log: log)
            followings[name] = following
            following.start(after: positions[name])
        }
    }

    func note(mapFault: String?) { state.withLock { $0.mapFault = mapFault } }

    /// Stores what has come so far.
    func finish() {
        for following in followings.values { following.stop() }
        storing.finish()
    }

    private func keys(for partition: WatchedPartition) throws -> ClientKeys? {
        switch (ownKeys, partition.serverKey ?? serverKey) {
        case (let own?, let server?): ClientKeys(own: own, serverPublicKey: server)
        case (nil, _?):
            throw Failure("the worker of \(partition.name) takes known keys only: say --client-key FILE")
        case (_, nil): nil
        }
    }
}
