/// What is logged of those that are turned away, who can come as often as they like: so many lines a minute, and how
/// many were left out.
package struct StrangerLog: Sendable {
    package static let linesPerMinute = 20

    private var minute: MonotonicTime?
    private var written = 0
    private var leftOut = 0

    package init() {}

    /// The lines to log when one more was turned away.
    package mutating func lines(for text: String, at now: MonotonicTime) -> [String] {
        var lines: [String] = []
        if minute.map({ now - $0 >= .seconds(60) }) ?? true {
            if leftOut > 0 { lines.append("\(leftOut) more were turned away, and are not named") }
            minute = now
            written = 0
            leftOut = 0
        }
        guard written < StrangerLog.linesPerMinute else {
            leftOut += 1
            return lines
        }
        written += 1
        lines.append(text)
        return lines
    }
}
