import TradeJournal
import TradingCore

/// What is kept of a worker's settings, so that it can be told later by which an order was sent.
struct SettingsRecord {
    private let values: [Setting: [UInt8]]

    /// - Parameters:
    ///   - limits: What the file of limits says; nil where there is none.
    ///   - keyList: What the list of allowed keys says; nil where there is none.
    init(_ configuration: Configuration, limits: [UInt8]?, keyList: [UInt8]?) {
        var values: [Setting: [UInt8]] = [:]
        for (setting, text) in configuration.recorded { values[setting] = Array(text.utf8) }
        values[.limits] = limits
        values[.allowedKeys] = keyList
        self.values = values
    }

    /// Keeps what differs from what is on record. Where nothing does, it only reads.
    func keep(_ journal: TradeJournal, at time: Timestamp) throws(JournalFault) {
        let before = try journal.settingsInForce()
        let settings = Setting.recorded + [.limits, .allowedKeys]
        guard settings.contains(where: { values[$0] != before[$0.rawValue] }) else { return }
        try journal.write { (transaction) throws(JournalFault) in
            for setting in settings { try transaction.keep(setting: setting.rawValue, values[setting], at: time) }
        }
    }
}

extension Worker {
    /// Keeps what a setting is that has changed while the worker runs.
    /// - Returns: False while the database cannot be written: it is to be tried again.
    func keep(_ setting: Setting, _ value: [UInt8], since: Timestamp) throws(WorkerFault) -> Bool {
        guard storage == .working else { return false }
        do throws(JournalFault) {
            try journal.write { (transaction) throws(JournalFault) in
                try transaction.keep(setting: setting.rawValue, value, at: since)
            }
            return true
        } catch {
            try storageFailed(error, at: clock.read())
            return false
        }
    }
}
