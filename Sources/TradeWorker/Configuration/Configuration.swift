package import AlpacaAPI
package import Logging
import TradingCore

/// Everything that a worker is told at its start, checked whole.
package struct Configuration: Sendable {
    package var worker: WorkerSettings
    package var intake: String
    package var outcomes: String
    package var pullIntake: String?
    package var access: AccessSettings
    package var stateDirectory: String
    package var brokerURL: BrokerURL
    package var credentials: Credentials
    package var credentialsSource: CredentialsSource
    package var brokerConnectTimeoutMilliseconds: Int
    package var brokerTimeoutMilliseconds: Int
    /// The path of the limits file; nil where there is none.
    package var limits: String?
    /// The path of the partition map; nil where there is none.
    package var partitionMap: String?
    package var logLevel: Logger.Level
    package var logFormat: LogFormat
    /// What is said of orders and of when they are sent, as text, for the record.
    package var recorded: [(setting: Setting, text: String)]

    /// What is wrong with a setting, where it came from, and what to do.
    package struct Problem: Error, Equatable, CustomStringConvertible {
        package let description: String

        package init(_ description: String) {
            self.description = description
        }
    }

    /// Reads the settings from their layers; flags win over the environment, that over the file, that over defaults.
    /// - Parameters:
    ///   - flags: What the command line says.
    ///   - environment: All variables of the process.
    ///   - file: The configuration file, where there is one.
    ///   - credentialFiles: What was found in files of credentials, in the order in which they count.
    package init(
        flags: [Setting: String], environment: [String: String], file: ConfigurationFile?,
        credentialFiles: [FoundCredentials] = []
    ) throws(Problem) {
        let source = SettingSource(flags: flags, environment: environment, file: file)

        let place = try WorkerPlace(source)
        stateDirectory = place.stateDirectory
        access = try AccessSettings(source)
        let isGuarded = access.keys != nil
        intake = try source.endpoint(.intake, isGuarded: isGuarded)
        outcomes = try source.endpoint(.outcomes, isGuarded: isGuarded)
        pullIntake =
            source.text(.pullIntake) == nil ? nil : try source.endpoint(.pullIntake, isGuarded: isGuarded)
        let isAnyTCP = [intake, outcomes, pullIntake].contains { $0?.hasPrefix("tcp://") ?? false }
        guard access.ipcUsers.isEmpty || isGuarded || !isAnyTCP else {
            throw source.problem(.ipcUsers, "needs ipc:// endpoints: at tcp:// nobody says which user connects")
        }
        do throws(BrokerURL.Problem) {
            brokerURL = try BrokerURL(source.required(.brokerURL))
        } catch {
            throw source.problem(.brokerURL, "\(error)")
        }
        (credentials, credentialsSource) = try Configuration.credentials(source, credentialFiles, brokerURL)
        brokerConnectTimeoutMilliseconds = try source.integer(.brokerConnectTimeout, 1...600_000)
        brokerTimeoutMilliseconds = try source.integer(.brokerTimeout, 1...600_000)
        limits = source.text(.limits)
        partitionMap = source.text(.partitionMap)
        guard let level = Logger.Level(rawValue: source.required(.logLevel)) else {
            throw source.problem(.logLevel, "must be trace, debug, info, notice, warning, error or critical")
        }
        logLevel = level
        guard let format = LogFormat(rawValue: source.required(.logFormat)) else {
            throw source.problem(.logFormat, "must be text or json")
        }
        logFormat = format

        worker = WorkerSettings(partition: place.partition)
        worker.maxAge = .seconds(Int64(try source.integer(.maxAge, 1...315_360_000)))
        worker.queueMax = try source.integer(.queueMax, 1...100_000_000)
        worker.settleTime = .seconds(Int64(try source.integer(.settleTime, 1...86_400)))
        guard let onUnknown = WorkerSettings.OnUnknown(rawValue: source.required(.onUnknown)) else {
            throw source.problem(.onUnknown, "must be continue or hold-strategy")
        }
        worker.onUnknown = onUnknown
        let errors = try source.integer(.haltAfterErrors, 0...1_000_000)
        let unknown = try source.integer(.haltOverUnknown, 0...1_000_000)
        worker.automaticHalt = AutomaticHalt.Thresholds(
            errorsInARow: errors == 0 ? nil : errors, unknown: unknown == 0 ? nil : unknown)
        guard let haltHolds = Bool(source.required(.haltHolds)) else {
            throw source.problem(.haltHolds, "must be true or false")
        }
        worker.haltHolds = haltHolds
        let perMinute =
            source.text(.requestsPerMinute) == nil
            ? (brokerURL.isLoopback ? 0 : 200) : try source.integer(.requestsPerMinute, 0...1_000_000)
        guard limits == nil || perMinute != 1 else {
            throw source.problem(
                .requestsPerMinute, "must be 0, or 2 or more, where limits are set: some ask the broker before an order"
            )
        }
        worker.requestsPerMinute = perMinute == 0 ? nil : perMinute
        recorded = Setting.recorded.map { ($0, source.required($0)) }
    }

    /// The pair of the first place that holds any of it: a key and a secret from two places may be of two accounts.
    private static func credentials(
        _ source: SettingSource, _ files: [FoundCredentials], _ url: BrokerURL
    ) throws(Problem) -> (Credentials, CredentialsSource) {
        func found(_ place: CredentialsSource, _ text: (Setting) -> String?) -> FoundCredentials {
            FoundCredentials(place, keyID: text(.keyID), secretKey: text(.secretKey))
        }
        var places = [found(.environment) { source.environment[$0.environmentName] }] + files
        if let file = source.file { places.append(found(.configurationFile(file.path)) { file.values[$0] }) }
        guard let first = places.first(where: { !$0.isEmpty }) else {
            guard url.isLoopback else {
                throw Problem(
                    "no credentials for \(url): set APCA_API_KEY_ID and APCA_API_SECRET_KEY, or name a file with --credentials "
                        + "(free for a paper account at https://app.alpaca.markets)")
            }
            guard let any = Credentials(keyID: "SIMULATOR", secretKey: "simulator") else {
                preconditionFailure("these are credentials")
            }
            return (any, .none)
        }
        guard let keyID = first.keyID, let secretKey = first.secretKey else {
            let missing: Setting = first.keyID == nil ? .keyID : .secretKey
            let name = first.source == .environment ? missing.environmentName : missing.rawValue
            throw Problem("\(first.source) holds half of the account's credentials; \(name) is missing there")
        }
        guard let credentials = Credentials(keyID: keyID, secretKey: secretKey) else {
            throw Problem("the credentials in \(first.source) hold characters that no Alpaca key has")
        }
        return (credentials, first.source)
    }

    /// The path of the credentials file, where the settings name one.
    package static func credentialsPath(
        flags: [Setting: String], environment: [String: String], file: ConfigurationFile?
    ) -> String? {
        SettingSource(flags: flags, environment: environment, file: file).text(.credentials)
    }
}

/// Where settings come from, and what to call them in an error.
package struct SettingSource: Sendable {
    let flags: [Setting: String]
    let environment: [String: String]
    let file: ConfigurationFile?

    package init(flags: [Setting: String], environment: [String: String], file: ConfigurationFile?) {
        self.flags = flags
        self.environment = environment
        self.file = file
    }

    /// What the uppermost layer says; nil where none says anything and there is no default.
    package func text(_ setting: Setting) -> String? {
        flags[setting] ?? environment[setting.environmentName].flatMap { $0.isEmpty ? nil : $0 }
            ?? file?.values[setting] ?? setting.defaultText
    }

    func required(_ setting: Setting) -> String {
        guard let text = text(setting) else { preconditionFailure("\(setting) has a default") }
        return text
    }

    func integer(_ setting: Setting, _ range: ClosedRange<Int>) throws(Configuration.Problem) -> Int {
        guard let value = Int(required(setting)), range.contains(value) else {
            throw problem(setting, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// An endpoint. Whoever reaches an intake without keys can trade, so one is for this machine only.
    /// - Parameter guards: The flags that guard it.
    func endpoint(
        _ setting: Setting, isGuarded: Bool, by guards: String = "--server-key and --allowed-keys"
    ) throws(Configuration.Problem) -> String {
        let text = required(setting)
        if text.hasPrefix("ipc:///") { return text }
        guard text.hasPrefix("tcp://"), isGuarded || BrokerURL.isLoopback(text.dropFirst(6)) else {
            throw problem(
                setting,
                isGuarded
                    ? "must be tcp://ADDRESS:PORT or ipc:///PATH"
                    : """
                    must be tcp://127.0.0.1:PORT or ipc:///PATH: without keys whoever can connect can trade, so it is \
                    for this machine only. With \(guards) it can be any address
                    """)
        }
        return text
    }

    /// Says where a value came from, never what a secret is.
    func problem(_ setting: Setting, _ what: String) -> Configuration.Problem {
        let name: String
        if flags[setting] != nil, let flag = setting.flag {
            name = flag
        } else if environment[setting.environmentName].map({ !$0.isEmpty }) ?? false {
            name = setting.environmentName
        } else if let file, file.values[setting] != nil {
            name = "\(setting.rawValue) in \(file.path)"
        } else {
            name = setting.rawValue
        }
        return Configuration.Problem("\(name) \(what)")
    }
}
