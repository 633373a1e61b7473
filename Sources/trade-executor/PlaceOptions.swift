import ArgumentParser
import HostSystem
import TradeRecords
import TradeWorker

/// Which worker's state a command is about. No credentials are needed.
struct PlaceOptions: ParsableArguments {
    @Option(help: SettingsOptions.help(.stateDirectory)) var stateDir: String?
    @Option(help: SettingsOptions.help(.partition)) var partition: String?
    @Option(help: "A file of lines `name = value`, as for `run`. [TRADE_EXECUTOR_CONFIG]") var config: String?

    /// - Parameter more: Further flags.
    func place(_ more: [Setting: String] = [:]) throws -> WorkerPlace {
        var flags = more
        flags[.stateDirectory] = stateDir
        flags[.partition] = partition
        // Whether others can read the file's secrets is for `run` and `check` to judge: it must not stop a halt.
        let layers = try SettingLayers(config: config, refusesOpenSecrets: false)
        do {
            return try WorkerPlace(flags: flags, environment: layers.environment, file: layers.file)
        } catch {
            throw Failure("\(error)")
        }
    }

    /// Opens the database of the place.
    func records() throws -> TradeRecords {
        let path = StateDirectory.databasePath(in: try place().stateDirectory)
        do {
            return try TradeRecords(path: path)
        } catch {
            throw Failure("\(error)")
        }
    }
}

/// What stands behind the flags: the environment, and the configuration file where one is named.
struct SettingLayers {
    let environment: [String: String]
    let file: ConfigurationFile?

    /// One setting, where no more than that is needed.
    func text(_ setting: Setting, flag: String?) -> String? {
        SettingSource(
            flags: [setting: flag].compactMapValues { $0 }, environment: environment, file: file
        ).text(setting)
    }

    /// - Parameters:
    ///   - config: The flag that names the file.
    ///   - refusesOpenSecrets: Whether a file with the secret key that others can read is an error.
    init(config: String?, refusesOpenSecrets: Bool) throws {
        environment = ProcessEnvironment.all()
        guard let path = config ?? environment["TRADE_EXECUTOR_CONFIG"], !path.isEmpty else {
            file = nil
            return
        }
        do {
            guard try Files.exists(path) else {
                throw Failure("there is no configuration file \(path), which --config or TRADE_EXECUTOR_CONFIG names")
            }
            guard refusesOpenSecrets else {
                file = try ConfigurationFile(path: path, content: try Files.read(path, bytesMax: 1 << 20))
                return
            }
            // Whoever can write it can have the account's key sent to a broker of his own.
            let read = try ConfigurationFile(path: path, content: try Files.readTrusted(path, bytesMax: 1 << 20))
            guard read.holdsSecrets else {
                file = read
                return
            }
            file = try ConfigurationFile(path: path, content: try SecretFile.read(path, bytesMax: 1 << 20))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("\(error)")
        }
    }
}
