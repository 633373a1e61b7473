/// Rows of text in aligned columns: the first at its left edge, the others at their right.
package struct Table {
    private let title: [String]
    private var rows: [[String]] = []

    package init(_ title: [String]) {
        self.title = title
    }

    package mutating func add(_ row: [String]) {
        precondition(row.count == title.count, "a row has a cell for every column")
        rows.append(row)
    }

    package var text: String {
        let all = [title] + rows
        let widths = title.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ") + "\n"
        }.joined()
    }
}
