import TradeRecords

/// How rows of the database read for a person. Nothing here is safe for a terminal yet.
enum RecordText {
    /// `2026-11-22 14:30:01` from a stored time, which is UTC.
    static func time(_ text: String) -> String {
        guard text.utf8.count >= 19 else { return text }
        return text.prefix(10) + " " + text.dropFirst(11).prefix(8)
    }

    /// A number of shares, or of dollars: `100`, `$25`.
    static func amount(quantity: String?, notional: String?) -> String {
        notional.map { "$\($0)" } ?? quantity ?? ""
    }

    /// What is traded. A multi-leg order has no symbol of its own.
    static func symbol(_ symbol: String?, orderClass: String? = nil) -> String {
        symbol ?? orderClass ?? "-"
    }

    /// `100 @ 150.25`; empty where nothing is filled.
    static func filled(quantity: String?, price: String?) -> String {
        guard let quantity, quantity != "0" else { return "" }
        return price.map { "\(quantity) @ \($0)" } ?? quantity
    }

    /// `2026-11-22 14:30:01 UTC by alice@host, from the copy of 2026-11-22 12:00:00 UTC, /backups/p0.db`
    static func restoration(_ record: RestorationRecord) -> String {
        let taken = record.copiedAt.map { " of \(time($0)) UTC" } ?? ""
        return "\(time(record.restoredAt)) UTC by \(record.byWhom), from the copy\(taken), \(record.file)"
    }

    /// What went wrong, if anything did: with the broker's HTTP status where it said no.
    static func reason(_ execution: ExecutionRecord, _ decision: DecisionRecord) -> String {
        guard let message = execution.errorMessage else { return decision.failureReason ?? "" }
        guard execution.certainty == "answered", let status = execution.httpStatusCode, status >= 400 else {
            return message
        }
        return "\(status) \(message)"
    }
}
