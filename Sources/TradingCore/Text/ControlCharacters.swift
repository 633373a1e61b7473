extension String {
    /// The text with every control character shown as an escape, so that a terminal obeys none: neither colours nor
    /// cursor movements, nor the direction marks that make a line read differently from what it says. It is one line.
    package var withControlsShown: String {
        guard unicodeScalars.contains(where: String.mustBeShown) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            if String.mustBeShown(scalar) {
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
