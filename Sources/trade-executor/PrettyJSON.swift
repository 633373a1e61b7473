import StrictJSON

/// JSON for people: one member a line, numbers with every digit they came with.
enum PrettyJSON {
    /// The lines, safe for a terminal; nil where the bytes are not JSON.
    static func lines(_ bytes: [UInt8]) -> [String]? {
        do {
            var lines: [String] = []
            append(try JSONValue(parsing: bytes), indent: "", before: "", after: "", to: &lines)
            return lines
        } catch {
            return nil
        }
    }

    private static func append(
        _ value: JSONValue, indent: String, before: String, after: String, to lines: inout [String]
    ) {
        switch value {
        case .object(let members) where !members.isEmpty:
            lines.append(indent + before + "{")
            for (index, member) in members.enumerated() {
                append(
                    member.value, indent: indent + "  ", before: text(.string(member.key)) + ": ",
                    after: index < members.count - 1 ? "," : "", to: &lines)
            }
            lines.append(indent + "}" + after)
        case .array(let elements) where !elements.isEmpty:
            lines.append(indent + before + "[")
            for (index, element) in elements.enumerated() {
                append(
                    element, indent: indent + "  ", before: "", after: index < elements.count - 1 ? "," : "",
                    to: &lines)
            }
            lines.append(indent + "]" + after)
        case .object, .array, .null, .bool, .number, .string:
            lines.append(indent + before + text(value) + after)
        }
    }

    private static func text(_ value: JSONValue) -> String { TerminalText.safe(value.text) }
}
