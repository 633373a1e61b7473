/// Numbers as a person reads them.
package enum Figure {
    /// With three digits that count, and no more: 1,960, 48.2, 0.031.
    package static func text(_ value: Double) -> String {
        let magnitude = abs(value)
        guard magnitude.isFinite else { return "-" }
        if magnitude >= 100 { return grouped(Int(value.rounded())) }
        let places = magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : magnitude >= 0.1 || magnitude == 0 ? 2 : 3
        return fixed(value, places)
    }

    /// With so many digits after the point.
    static func fixed(_ value: Double, _ places: Int) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((abs(value) * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        let padding = String(repeating: "0", count: places - fraction.count)
        return "\(sign)\(grouped(scaled / scale)).\(padding)\(fraction)"
    }

    static func grouped(_ value: Int) -> String {
        var text = ""
        for (index, digit) in String(abs(value)).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + String(text.reversed())
    }
}

/// The middle one of some values and what they range over.
package struct Spread: Equatable, Sendable {
    package let median: Double
    package let min: Double
    package let max: Double

    /// Nil of nothing.
    package init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
        (min, max) = (first, last)
    }

    package var text: String { "\(Figure.text(median)) [\(Figure.text(min))-\(Figure.text(max))]" }
}
