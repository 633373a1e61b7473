package import TradingCore

/// Where a worker is to be found: what the commands beside `run` need of the configuration. The account is no part of
/// it, so that reading and halting need no credentials.
package struct WorkerPlace: Sendable {
    package let partition: PartitionName
    package let stateDirectory: String
    private let source: SettingSource

    /// Reads the settings from the same layers as `Configuration`.
    package init(
        flags: [Setting: String], environment: [String: String], file: ConfigurationFile?
    ) throws(Configuration.Problem) {
        try self.init(SettingSource(flags: flags, environment: environment, file: file))
    }

    init(_ source: SettingSource) throws(Configuration.Problem) {
        self.source = source
        guard let partition = PartitionName(source.required(.partition)) else {
            throw source.problem(.partition, "must be 1 to 48 of A-Z a-z 0-9 . _ -")
        }
        self.partition = partition
        if let directory = source.text(.stateDirectory) {
            stateDirectory = directory
        } else {
            stateDirectory = try WorkerPlace.defaultStateDirectory(partition, source.environment)
        }
    }

    /// How to speak to the worker. Not looked at before it is needed: a halt does not fail for what it does not use.
    package func contact() throws(Configuration.Problem) -> WorkerContact { try WorkerContact(source) }

    private static func defaultStateDirectory(
        _ partition: PartitionName, _ environment: [String: String]
    ) throws(Configuration.Problem) -> String {
        if let base = environment["XDG_STATE_HOME"], base.hasPrefix("/") {
            return "\(base)/trade-executor/\(partition)"
        }
        if let home = environment["HOME"], home.hasPrefix("/") {
            return "\(home)/.local/state/trade-executor/\(partition)"
        }
        throw Configuration.Problem("there is no home directory to keep the state in; say --state-dir")
    }
}
