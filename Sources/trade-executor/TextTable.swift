/// Rows of text in aligned columns. They are printed as they come: the first rows, up to a hundred, are kept back to
/// learn how wide the columns are, and whatever is wider later on widens its column from there on.
struct TextTable {
    struct Column {
        let title: String
        /// Whether it is aligned at its right edge, as numbers are.
        let isNumber: Bool

        init(_ title: String, isNumber: Bool = false) {
            self.title = title
            self.isNumber = isNumber
        }
    }

    private struct Line {
        let cells: [String]
        /// Lines that belong to the row and stand under it.
        let below: [String]
    }

    private let columns: [Column]
    private let output: StandardOutput
    private var widths: [Int]
    private var waiting: [Line] = []
    private var isUnderWay = false
    private static let waitingMax = 100

    init(_ columns: [Column], on output: StandardOutput) {
        self.columns = columns
        self.output = output
        widths = columns.map(\.title.count)
    }

    /// Adds a row. Cells need not be safe for a terminal; `below` must be.
    mutating func add(_ cells: [String], below: [String] = []) throws {
        precondition(cells.count == columns.count, "a row has a cell for every column")
        let cells = cells.map(TerminalText.safe)
        for (index, cell) in cells.enumerated() { widths[index] = max(widths[index], cell.count) }
        let line = Line(cells: cells, below: below)
        guard isUnderWay else {
            waiting.append(line)
            if waiting.count == TextTable.waitingMax { try begin() }
            return
        }
        try print(line)
    }

    /// Prints what is kept back. Says whether there was any row.
    mutating func finish() throws -> Bool {
        if !isUnderWay, !waiting.isEmpty { try begin() }
        return isUnderWay
    }

    private mutating func begin() throws {
        isUnderWay = true
        try print(Line(cells: columns.map(\.title), below: []))
        for line in waiting { try print(line) }
        waiting = []
    }

    private func print(_ line: Line) throws {
        var text = ""
        for (index, cell) in line.cells.prefix(fittingCount).enumerated() {
            let padding = String(repeating: " ", count: widths[index] - cell.count)
            if index > 0 { text += "  " }
            text += columns[index].isNumber ? padding + cell : cell + padding
        }
        while text.last == " " { text.removeLast() }
        try output.line(text)
        let rest = line.cells.dropFirst(fittingCount).filter { !$0.isEmpty }
        if !rest.isEmpty { try output.line("    " + rest.joined(separator: "  ")) }
        for line in line.below { try output.line(line) }
    }

    /// How many columns fit beside one another on the terminal. What the others hold stands under its row; elsewhere than
    /// on a terminal, all fit.
    private var fittingCount: Int {
        guard let terminalWidth = output.terminalWidth else { return columns.count }
        var end = -2
        for (index, width) in widths.enumerated() {
            end += 2 + width
            // The last one may be as long as it likes: it wraps, which is no harm at the end of a line.
            let needed = index == columns.count - 1 ? end - width + columns[index].title.count : end
            if needed > terminalWidth { return max(index, 1) }
        }
        return columns.count
    }
}
