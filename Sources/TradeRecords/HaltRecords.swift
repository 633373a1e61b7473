import GRDB
package import TradingCore

extension TradeRecords {
    /// The newest entries of the record of halts, in order, and up to where the history's file is in the database.
    package func haltEvents(limit: Int) throws -> (events: [HaltEvent], historyEnd: Int64) {
        try read { database in
            let rows = try Row.fetchAll(
                database, sql: "SELECT * FROM halt_events ORDER BY id DESC LIMIT ?", arguments: [limit])
            let end = try Int64.fetchOne(
                database,
                sql: "SELECT history_end FROM halt_events WHERE history_end IS NOT NULL ORDER BY id DESC LIMIT 1")
            return (rows.reversed().compactMap(HaltEvent.init(row:)), end ?? 0)
        }
    }
}

extension HaltEvent {
    /// Nil for a row with words that this program does not know.
    fileprivate init?(row: Row) {
        guard let at = Timestamp(row["at"] as String), let action = Action(rawValue: row["action"]),
            let scope = Halt.scope(fileName: row["scope"])
        else { return nil }
        self.init(action, scope, hold: row["hold"], reason: row["reason"], by: row["by_whom"], at: at)
    }
}
