import ArgumentParser
import TradeWorker

/// The settings as flags. Each also has a name in the environment and in a configuration file.
struct SettingsOptions: ParsableArguments {
    @Option(help: help(.intake)) var intake: String?
    @Option(help: help(.outcomes)) var outcomes: String?
    @Option(help: help(.pullIntake)) var pullIntake: String?
    @Option(help: help(.serverKey)) var serverKey: String?
    @Option(help: help(.allowedKeys)) var allowedKeys: String?
    @Option(help: help(.ipcUsers)) var ipcUsers: String?
    @Option(help: help(.stateDirectory)) var stateDir: String?
    @Option(help: help(.partition)) var partition: String?
    @Option(help: help(.brokerURL)) var brokerUrl: String?
    @Option(help: help(.brokerConnectTimeout)) var brokerConnectTimeoutMs: String?
    @Option(help: help(.brokerTimeout)) var brokerTimeoutMs: String?
    @Option(help: help(.requestsPerMinute)) var requestsPerMinute: String?
    @Option(help: help(.maxAge)) var maxAgeS: String?
    @Option(help: help(.queueMax)) var queueMax: String?
    @Option(help: help(.settleTime)) var settleTimeS: String?
    @Option(help: help(.onUnknown)) var onUnknown: String?
    @Option(help: help(.limits)) var limits: String?
    @Option(help: help(.partitionMap)) var partitionMap: String?
    @Option(help: help(.haltAfterErrors)) var haltAfterErrors: String?
    @Option(help: help(.haltOverUnknown)) var haltOverUnknown: String?
    @Option(help: help(.haltHolds)) var haltHolds: String?
    @Option(help: help(.credentials)) var credentials: String?
    @Option(help: help(.logLevel)) var logLevel: String?
    @Option(help: help(.logFormat)) var logFormat: String?
    @Option(
        help: """
            A file of lines `name = value`; names are the flags' with _ for -, and api_key_id, api_secret_key. \
            [TRADE_EXECUTOR_CONFIG]
            """)
    var config: String?

    static func help(_ setting: Setting) -> ArgumentHelp {
        let standard = setting.defaultText.map { ", default \($0)" } ?? ""
        return ArgumentHelp("\(setting.help) [\(setting.environmentName)\(standard)]")
    }

    private var flags: [Setting: String] {
        let all: [(Setting, String?)] = [
            (.intake, intake), (.outcomes, outcomes), (.pullIntake, pullIntake), (.serverKey, serverKey),
            (.allowedKeys, allowedKeys), (.ipcUsers, ipcUsers), (.stateDirectory, stateDir),
            (.partition, partition), (.brokerURL, brokerUrl), (.brokerConnectTimeout, brokerConnectTimeoutMs),
            (.brokerTimeout, brokerTimeoutMs), (.requestsPerMinute, requestsPerMinute), (.maxAge, maxAgeS),
            (.queueMax, queueMax), (.settleTime, settleTimeS), (.onUnknown, onUnknown), (.limits, limits),
            (.haltAfterErrors, haltAfterErrors), (.haltOverUnknown, haltOverUnknown), (.haltHolds, haltHolds),
            (.credentials, credentials), (.partitionMap, partitionMap), (.logLevel, logLevel), (.logFormat, logFormat),
        ]
        return all.reduce(into: [:]) { flags, flag in flags[flag.0] = flag.1 }
    }

    /// Reads and checks all layers.
    func configuration() throws -> Configuration {
        let layers = try SettingLayers(config: config, refusesOpenSecrets: true)
        do {
            let path = Configuration.credentialsPath(flags: flags, environment: layers.environment, file: layers.file)
            return try Configuration(
                flags: flags, environment: layers.environment, file: layers.file,
                credentialFiles: try CredentialFiles.read(path, environment: layers.environment))
        } catch {
            throw Failure("\(error)")
        }
    }

    /// The part of the settings that needs no credentials.
    /// - Parameter more: Further flags.
    func place(_ more: [Setting: String] = [:]) throws -> WorkerPlace {
        let layers = try SettingLayers(config: config, refusesOpenSecrets: false)
        do {
            return try WorkerPlace(
                flags: flags.merging(more) { _, new in new }, environment: layers.environment, file: layers.file)
        } catch {
            throw Failure("\(error)")
        }
    }
}

/// A command that failed: one line on standard error that says what and what to do. Exit code 1.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = TerminalText.safe(description)
    }
}
