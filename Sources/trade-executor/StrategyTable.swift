import TradeRecords
import TradingCore

/// A row for each strategy, as far as there is room.
struct StrategyTable {
    private let strategies: [StrategyCounts]
    private let rates: StatusRates?
    private let halts: [Halt]
    /// The moment of the look.
    private let today: String
    private let colours: Colours

    init(_ look: StatusWatch.Look, _ rates: StatusRates?, _ colours: Colours) {
        strategies = look.strategies
        self.rates = rates
        halts = look.report.halts
        today = look.report.at.text
        self.colours = colours
    }

    /// - Parameters:
    ///   - room: How many lines there is room for; nil for all. Where it is too little, those at rest are left out first.
    ///   - width: The most characters of a line.
    func lines(room: Int?, width: Int?) -> [String] {
        var shown = strategies
        var rest = 0
        if let room, strategies.count + 1 > room {
            let mostUrgentFirst = strategies.enumerated().sorted { left, right in
                let (one, other) = (urgency(left.element), urgency(right.element))
                return one != other ? one > other : left.offset < right.offset
            }
            shown = mostUrgentFirst.prefix(max(room - 2, 0)).sorted { $0.offset < $1.offset }.map(\.element)
            rest = strategies.count - shown.count
        }
        let nameWidth = max(8, shown.map(\.name.count).max() ?? 0)
        let title =
            "strategy".padded(to: nameWidth) + "  waiting  executing  unknown  outcomes       /s  last outcome"
        func fit(_ text: String, _ paint: Colours.Paint?) -> String {
            colours.paint(width.map { text.cut(to: $0) } ?? text, paint)
        }
        var lines = [fit(title, .bold)]
        for strategy in shown { lines.append(fit(line(strategy, nameWidth), paint(strategy))) }
        if rest > 0 { lines.append(fit("… and \(rest) strategies more", .faint)) }
        return lines
    }

    private func line(_ strategy: StrategyCounts, _ nameWidth: Int) -> String {
        func number(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        var cells = [TerminalText.safe(strategy.name).padded(to: nameWidth)]
        cells.append(number("\(strategy.pending)", 7))
        cells.append(number("\(strategy.executing)", 9))
        cells.append(number("\(strategy.unknown)", 7))
        cells.append(number("\(strategy.lastStrategySeq)", 8))
        let rate = rates?.ofStrategies[strategy.name].map(StatusRates.decimal) ?? ""
        cells.append(number(isHalted(strategy) ? "HALTED" : rate, 7))
        cells.append(TerminalText.safe(strategy.lastOutcomeAt.map(time) ?? ""))
        return cells.joined(separator: "  ")
    }

    /// The time of what was today, else the date.
    private func time(_ text: String) -> String {
        let words = RecordText.time(text).split(separator: " ")
        guard let date = words.first, let time = words.last else { return "" }
        return String(today.hasPrefix(date) ? time : date)
    }

    private func isHalted(_ strategy: StrategyCounts) -> Bool {
        halts.contains { halt in
            switch halt.scope {
            case .all: true
            case .strategy(let name): name.text == strategy.name
            }
        }
    }

    private func paint(_ strategy: StrategyCounts) -> Colours.Paint? {
        if isHalted(strategy) { return .red }
        return strategy.unknown > 0 ? .yellow : nil
    }

    private func urgency(_ strategy: StrategyCounts) -> Int {
        if strategy.unknown > 0 { return 3 }
        if strategy.pending > 0 || isHalted(strategy) { return 2 }
        return strategy.executing > 0 || (rates?.ofStrategies[strategy.name] ?? 0) > 0 ? 1 : 0
    }
}
