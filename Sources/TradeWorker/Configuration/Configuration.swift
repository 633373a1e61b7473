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
    package var brokerConnectTimeoutMilliseconds: Int
    package var brokerTimeoutMilliseconds: Int
    package var logLevel: Logger.Level

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
    package init(
        flags: [Setting: String], environment: [String: String], file: ConfigurationFile?
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
        do throws(BrokerURL.Problem) {
            brokerURL = try BrokerURL(source.required(.brokerURL))
        } catch {
            throw source.problem(.brokerURL, "\(error)")
        }
        credentials = try Configuration.credentials(source, brokerURL)
        brokerConnectTimeoutMilliseconds = try source.integer(.brokerConnectTimeout, 1...600_000)
        brokerTimeoutMilliseconds = try source.integer(.brokerTimeout, 1...600_000)
        guard let level = Logger.Level(rawValue: source.required(.logLevel)) else {
            throw source.problem(.logLevel, "must be debug, info, notice, warning or error")
        }
        logLevel = level

        worker = WorkerSettings(partition: place.partition)
        worker.maxAge = .seconds(Int64(try source.integer(.maxAge, 1...315_360_000)))
        worker.queueMax = try source.integer(.queueMax, 1...100_000_000)
        worker.settleTime = .seconds(Int64(try source.integer(.settleTime, 1...86_400)))
        guard let onUnknown = WorkerSettings.OnUnknown(rawValue: source.required(.onUnknown)) else {
            throw source.problem(.onUnknown, "must be continue or hold-strategy")
        }
        worker.onUnknown = onUnknown
        let perMinute =
            source.text(.requestsPerMinute) == nil
            ? (brokerURL.isLoopback ? 0 : 200) : try source.integer(.requestsPerMinute, 0...1_000_000)
        worker.requestsPerMinute = perMinute == 0 ? nil : perMinute
    }

    private static func credentials(_ source: SettingSource, _ url: BrokerURL) throws(Problem) -> Credentials {
        let keyID = source.text(.keyID) ?? ""
        let secretKey = source.text(.secretKey) ?? ""
        if keyID.isEmpty, secretKey.isEmpty, url.isLoopback {
            guard let any = Credentials(keyID: "SIMULATOR", secretKey: "simulator") else {
                preconditionFailure("these are credentials")
            }
            return any
        }
        guard !keyID.isEmpty, !secretKey.isEmpty else {
            throw Problem(
                "no credentials for \(url): set APCA_API_KEY_ID and APCA_API_SECRET_KEY "
                    + "(free for a paper account at https://app.alpaca.markets)")
        }
        guard let credentials = Credentials(keyID: keyID, secretKey: secretKey) else {
            throw Problem("APCA_API_KEY_ID or APCA_API_SECRET_KEY holds characters that no Alpaca key has")
        }
        return credentials
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
    func endpoint(_ setting: Setting, isGuarded: Bool) throws(Configuration.Problem) -> String {
        let text = required(setting)
        if text.hasPrefix("ipc:///") { return text }
        guard text.hasPrefix("tcp://"), isGuarded || BrokerURL.isLoopback(text.dropFirst(6)) else {
            throw problem(
                setting,
                isGuarded
                    ? "must be tcp://ADDRESS:PORT or ipc:///PATH"
                    : """
                    must be tcp://127.0.0.1:PORT or ipc:///PATH: without keys whoever can connect can trade, so it is \
                    for this machine only. With --server-key and --allowed-keys it can be any address
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
