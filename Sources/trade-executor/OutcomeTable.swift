import StrictJSON
import TradingCore

/// Outcomes as rows that fit a terminal. A column grows with what comes, and stays so, up to a bound; what is longer
/// pushes the rest of its row aside, so that an id can always be copied whole. What there is to say besides stands at the
/// end of the row, or under it.
struct OutcomeTable {
    private let colours: Colours
    /// Of strategy, decision and order.
    private var widths = [8, 8, 12]

    /// The least width of a terminal for the status and for thousandths of seconds.
    private static let wide = 110

    init(_ colours: Colours) {
        self.colours = colours
    }

    func title(width: Int) -> String {
        let time = OutcomeTable.isWide(width) ? "time (UTC)".padded(to: 12) : "UTC".padded(to: 8)
        var cells = [time] + zip(["strategy", "decision", "order"], widths).map { $0.padded(to: $1) }
        if OutcomeTable.isWide(width) { cells.append("status".padded(to: 12)) }
        return colours.paint((cells + ["result"]).joined(separator: "  "), .bold)
    }

    /// The row of an outcome: one line, or more where its end does not fit.
    mutating func lines(_ outcome: JSONValue, width: Int) -> [String] {
        let isWide = OutcomeTable.isWide(width)
        let execution = outcome["execution"]
        let texts = [
            outcome["strategy_name"]?.string ?? "", outcome["decision_id"]?.string ?? "", OutcomeText.order(outcome),
        ].map(TerminalText.safe)
        let bounds = isWide ? [20, 24, 26] : [12, 12, 20]
        for index in bounds.indices { widths[index] = max(widths[index], min(texts[index].count, bounds[index])) }
        let time = String(OutcomeText.time(outcome["at"]?.string).prefix(isWide ? 12 : 8))
        let result = TerminalText.safe(outcome["result"]?.string ?? "")
        var cells = [TerminalText.safe(time)] + zip(texts, widths).map { $0.padded(to: $1) }
        if isWide { cells.append(TerminalText.safe(execution?["status"]?.string ?? "refused").padded(to: 12)) }
        let head = cells.joined(separator: "  ") + "  "
        let painted = head + colours.paint(result, OutcomeTable.paint(result))

        let detail = TerminalText.safe(OutcomeText.detail(outcome, execution))
        if detail.isEmpty { return [painted] }
        if head.count + max(result.count, 7) + 2 + detail.count <= width {
            return [painted + String(repeating: " ", count: max(0, 7 - result.count)) + "  " + detail]
        }
        return [painted] + detail.wrapped(to: max(width - 4, 16)).map { "    " + $0 }
    }

    private static func isWide(_ width: Int) -> Bool { width >= wide }

    private static func paint(_ result: String) -> Colours.Paint? {
        switch OutcomeResult(rawValue: result) {
        case .success: .green
        case .partial: .cyan
        case .failed: .red
        case .unknown: .yellow
        case .pending: .faint
        case nil: nil
        }
    }
}

extension String {
    /// Lines of at most `width` characters, parted between words where there are any.
    func wrapped(to width: Int) -> [String] {
        var lines: [String] = []
        var rest = self[...]
        while rest.count > width {
            let most = rest.prefix(width + 1)
            let space = most.lastIndex(of: " ").flatMap { $0 > rest.startIndex ? $0 : nil }
            lines.append(String(rest[..<(space ?? most.index(before: most.endIndex))]))
            rest = rest[(space.map(rest.index(after:)) ?? most.index(before: most.endIndex))...]
        }
        return lines + [String(rest)]
    }

    /// At most `width` characters of it, of which the last is `…` where some are left out.
    func cut(to width: Int) -> String {
        count <= width ? self : prefix(max(width - 1, 0)) + "…"
    }
}
