import ArgumentParser
import TradeWorker
import ZeroMQMessaging

/// Where a worker is spoken to.
struct EndpointOptions: ParsableArguments {
    @Option(help: SettingsOptions.help(.intake)) var intake: String?
    @Option(help: SettingsOptions.help(.outcomes)) var outcomes: String?
    @OptionGroup var keys: ClientKeyOptions
    @Option(help: "A file of lines `name = value`, as for `run`. [TRADE_EXECUTOR_CONFIG]") var config: String?

    func endpoints() throws -> Endpoints {
        let layers = try SettingLayers(config: config, refusesOpenSecrets: false)
        var flags = keys.flags
        flags[.intake] = intake
        flags[.outcomes] = outcomes
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
