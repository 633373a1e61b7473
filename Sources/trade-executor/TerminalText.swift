/// Text of strangers on a terminal.
enum TerminalText {
    /// The text with every control character shown as an escape, so that none is obeyed: neither colours nor cursor
    /// movements, nor the direction marks that make a line read differently from what it says.
    static func safe(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: mustBeShown) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if mustBeShown(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func mustBeShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
        default: false
        }
    }
}
