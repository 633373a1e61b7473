import ArgumentParser
import StrictJSON
import TradeWorker
import TradingCore
import ZeroMQMessaging

/// Where a worker is spoken to.
struct EndpointOptions: ParsableArguments {
    @Option(help: SettingsOptions.help(.intake)) var intake: String?
    @Option(help: SettingsOptions.help(.outcomes)) var outcomes: String?
    @Option(
        help: ArgumentHelp(
            """
            The partition map, to find the worker by the strategy; not looked at where an endpoint is said. \
            [\(Setting.partitionMap.environmentName)]
            """))
    var partitionMap: String?
    @OptionGroup var keys: ClientKeyOptions
    @Option(help: "A file of lines `name = value`, as for `run`. [TRADE_EXECUTOR_CONFIG]") var config: String?

    /// Where the settings say that the worker is.
    func endpoints() throws -> Endpoints { try endpoints([:]) }

    /// Whether the partition map says where the worker is.
    var followsMap: Bool {
        get throws { try mapPath() != nil }
    }

    /// Where a strategy's worker is, by the map as it is now or by the settings.
    func endpoints(of strategy: String?) throws -> Endpoints {
        guard let path = try mapPath() else { return try endpoints([:]) }
        let map = try PartitionMapOptions.read(path)
        guard let strategy = strategy.flatMap({ StrategyName($0) }) else {
            throw Failure("the partition map finds a worker by its strategy, and none can be read")
        }
        guard let partition = map.partition(of: strategy), let place = map.places[partition] else {
            throw Failure("\(strategy) is in no partition of \(path) (epoch \(map.epoch))")
        }
        return try endpoints(at: place)
    }

    /// Where all workers are, by name; the name is nil where the settings say it.
    func allEndpoints() throws -> [(partition: PartitionName?, endpoints: Endpoints)] {
        guard let path = try mapPath() else { return [(nil, try endpoints([:]))] }
        let map = try PartitionMapOptions.read(path)
        return try map.partitionNames.compactMap { name in
            try map.places[name].map { (name, try endpoints(at: $0)) }
        }
    }

    private func mapPath() throws -> String? {
        guard intake == nil, outcomes == nil else { return nil }
        let layers = try SettingLayers(config: config, refusesOpenSecrets: false)
        return layers.text(.partitionMap, flag: partitionMap)
    }

    private func endpoints(at place: PartitionMap.Place) throws -> Endpoints {
        var flags: [Setting: String] = [.intake: place.intake, .outcomes: place.outcomes]
        flags[.serverPublicKey] = place.serverKey?.text
        return try endpoints(flags)
    }

    private func endpoints(_ more: [Setting: String]) throws -> Endpoints {
        let layers = try SettingLayers(config: config, refusesOpenSecrets: false)
        var flags = keys.flags
        flags[.intake] = intake
        flags[.outcomes] = outcomes
        flags.merge(more) { _, new in new }
        do {
            return try Endpoints(WorkerContact(flags: flags, environment: layers.environment, file: layers.file))
        } catch {
            throw Failure("\(error)")
        }
    }
}

/// The keys by which a guarded worker is spoken to.
struct ClientKeyOptions: ParsableArguments {
    @Option(help: SettingsOptions.help(.clientKey)) var clientKey: String?
    @Option(help: SettingsOptions.help(.serverPublicKey)) var serverPublicKey: String?

    var flags: [Setting: String] {
        [Setting.clientKey: clientKey, .serverPublicKey: serverPublicKey].compactMapValues { $0 }
    }
}

/// A worker's endpoints, and the keys for them where they are guarded.
struct Endpoints {
    let intake: String
    let outcomes: String
    let keys: ClientKeys?

    init(_ contact: WorkerContact) throws {
        intake = contact.intake
        outcomes = contact.outcomes
        keys = try contact.clientKeys()
    }

    /// What to look at when nothing answers.
    var advice: String {
        keys == nil
            ? "is a worker running there, and does it take keys only (--client-key)?"
            : "is a worker running there, is this its public key, and is yours in its list (`keys list`)?"
    }
}
