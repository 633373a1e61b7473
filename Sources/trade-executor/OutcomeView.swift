import StrictJSON

/// What `outcomes` shows: plain lines, or on a terminal a table with the worker's pulse under it.
final class OutcomeView {
    private let output: StandardOutput
    private let json: Bool
    /// Nil where plain lines are printed.
    private var table: OutcomeTable?
    private let colours: Colours
    private var isTitled = false
    /// The line under the table; empty where there is none.
    private var pulse = ""

    init(_ output: StandardOutput, json: Bool, colours: Colours) {
        self.output = output
        self.json = json
        self.colours = colours
        if !json, output.obeysCursor || colours.isOn { table = OutcomeTable(colours) }
        if hasPulse { output.leaveTidily() }
    }

    private var hasPulse: Bool { table != nil && output.obeysCursor }

    func show(_ outcome: JSONValue) throws {
        takePulseAway()
        guard table != nil else { return try output.line(json ? outcome.text : OutcomeText.line(outcome)) }
        // Elsewhere than on a terminal lines are as long as they like.
        let width = output.terminalWidth ?? Int.max
        let lines = table?.lines(outcome, width: width) ?? []
        if !isTitled, hasPulse, let title = table?.title(width: width) { try output.line(title) }
        isTitled = true
        for line in lines { try output.line(line) }
    }

    /// Says something on standard error, where the pulse does not stand in its way.
    func remark(_ text: String) throws {
        takePulseAway()
        try output.flush()
        StandardError.line(text)
    }

    /// Whatever was shown is written, with the pulse under it.
    func flush() throws {
        if hasPulse, !pulse.isEmpty {
            let width = output.terminalWidth ?? 80
            // The last column stays free: a cursor behind it is on the next line on some terminals.
            output.put("\r" + colours.paint(pulse.cut(to: width - 1), .faint) + "\u{1B}[K")
        }
        try output.flush()
    }

    func takePulse(_ heartbeat: JSONValue) {
        let halted = (heartbeat["halted"]?.array ?? []).compactMap(\.string)
        var parts = [
            "\(heartbeat["pending"]?.integer ?? 0) waiting", "\(heartbeat["open_orders"]?.integer ?? 0) open",
            "\(heartbeat["unknown"]?.integer ?? 0) unknown", "last outcome \(heartbeat["seq"]?.integer ?? 0)",
        ]
        if !halted.isEmpty { parts.insert("HALTED \(halted.joined(separator: " "))", at: 0) }
        let time = OutcomeText.time(heartbeat["at"]?.string).prefix(8)
        setPulse("\(heartbeat["partition"]?.string ?? "") \(time) UTC: \(parts.joined(separator: ", "))")
    }

    func setPulse(_ text: String) { pulse = TerminalText.safe(text) }

    private func takePulseAway() {
        if hasPulse { output.put("\r\u{1B}[K") }
    }
}
