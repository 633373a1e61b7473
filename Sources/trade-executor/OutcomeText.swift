import StrictJSON

/// An outcome as one line for a person.
enum OutcomeText {
    static func line(_ outcome: JSONValue) -> String {
        let execution = outcome["execution"]
        let status = execution?["status"]?.string ?? "refused"
        return columns([
            (time(outcome["at"]?.string), 12), (outcome["strategy_name"]?.string ?? "", 12),
            (outcome["decision_id"]?.string ?? "", 16), (order(outcome), 26), (status, 12),
            (outcome["result"]?.string ?? "", 8), (detail(outcome, execution), 0),
        ])
    }

    /// What was to be traded: `buy 10 AAPL`, `buy $25 of SPY`.
    static func order(_ outcome: JSONValue) -> String {
        let side = outcome["side"]?.string ?? "trade"
        let symbol = outcome["symbol"]?.string ?? "several legs"
        if let notional = outcome["notional"]?.string { return "\(side) $\(notional) of \(symbol)" }
        return "\(side) \(outcome["quantity"]?.string ?? "?") \(symbol)"
    }

    /// What there is to say beyond status and result.
    static func detail(_ outcome: JSONValue, _ execution: JSONValue?) -> String {
        var parts: [String] = []
        // The broker's own word, where the status does not say it.
        if let word = execution?["order_status"]?.string, word != execution?["status"]?.string,
            outcome["final"] != true
        {
            parts.append(word)
        }
        if let quantity = execution?["filled_quantity"]?.string, quantity != "0" {
            parts.append(execution?["filled_avg_price"]?.string.map { "\(quantity) @ \($0)" } ?? "\(quantity) filled")
        }
        if let certainty = execution?["certainty"]?.string, certainty != "answered" { parts.append(certainty) }
        if let resolution = execution?["resolution"]?.string { parts.append(resolution) }
        if let message = execution?["error_message"]?.string ?? outcome["reason"]?.string { parts.append(message) }
        if let message = outcome["message"]?.string { parts.append(message) }
        return parts.joined(separator: ", ")
    }

    /// The time of day out of a full time.
    static func time(_ text: String?) -> String {
        guard let text, text.utf8.count >= 23 else { return "" }
        return String(text.dropFirst(11).prefix(12))
    }

    /// Texts side by side, each padded to its width; control characters are shown, not obeyed.
    static func columns(_ cells: [(text: String, width: Int)]) -> String {
        var line = ""
        for (text, width) in cells {
            let text = TerminalText.safe(text)
            line += text
            line += String(repeating: " ", count: max(1, width - text.count + 1))
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
