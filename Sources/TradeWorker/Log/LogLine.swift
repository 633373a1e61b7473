package import Logging
import StrictJSON
package import TradingCore

/// One line of the log, with all that it is about.
package struct LogLine {
    let at: Timestamp
    let level: Logger.Level
    let message: String
    /// Names and values, in the order in which they are written.
    let about: [(name: String, value: String)]

    /// The longest message and the longest value, in bytes. With them a line stays below the 4,096 bytes that go to a
    /// pipe in one piece, unless much of it must be escaped.
    private static let messageMax = 2048
    private static let valueMax = 160

    /// The ids of a decision, in the order in which they stand in a line; what else there is follows by name.
    private static let ids = ["strategy_name", "decision_id", "client_order_id", "execution_id"]

    package init(at time: Timestamp, level: Logger.Level, message: String, about metadata: Logger.Metadata) {
        at = time
        self.level = level
        self.message = message.cut(toBytes: LogLine.messageMax)
        let names =
            LogLine.ids.filter { metadata[$0] != nil } + metadata.keys.filter { !LogLine.ids.contains($0) }.sorted()
        about = names.compactMap { name in
            metadata[name].map { (name, "\($0)".cut(toBytes: LogLine.valueMax)) }
        }
    }

    /// The line with its line feed, which is the only one in it.
    package func bytes(_ format: LogFormat) -> [UInt8] {
        switch format {
        case .text:
            var text = "\(at.text) \(level): \(message.withControlsShown)"
            for (name, value) in about { text += " \(name)=\(value.withControlsShown)" }
            return Array((text + "\n").utf8)
        case .json:
            var writer = JSONWriter(reserving: 512)
            writer.object { writer in
                writer.member("at", at.text)
                writer.member("level", level.rawValue)
                writer.member("message", message)
                for (name, value) in about {
                    writer.key(name)
                    writer.string(value)
                }
            }
            return writer.bytes + [UInt8(ascii: "\n")]
        }
    }
}

extension String {
    /// Not more than so many bytes of it, and then `…`.
    fileprivate func cut(toBytes max: Int) -> String {
        guard utf8.count > max else { return self }
        var end = utf8.index(startIndex, offsetBy: max)
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return self[..<end] + "…"
    }
}
