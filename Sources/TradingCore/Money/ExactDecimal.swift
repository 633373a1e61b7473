/// A decimal number exactly as it was written: its text is kept beside its value, so that money passes from the frame
/// to the database to the wire and back without a digit being touched.
///
/// Two decimals are equal when their values are: `1.50` equals `1.5`, and both keep their text.
package struct ExactDecimal: Sendable {
    /// The text as it was written, such as `150.250`.
    package let text: String
    /// The value is `coefficient` divided by ten to the power `scale`.
    private let coefficient: Int128
    /// How many digits stand after the decimal point.
    package let scale: Int

    /// The most digits before the point. With `scaleMax`, sums and comparisons stay within 128 bits.
    package static let wholeDigitsMax = 19
    /// The most digits after the point; the broker has been seen to use 18 in an average price.
    package static let scaleMax = 18

    package static let zero = ExactDecimal(0)

    package init(_ whole: Int64) {
        self.init(coefficient: Int128(whole), scale: 0)
    }

    /// Reads `-?digits(.digits)?` and nothing else: no exponent, no sign `+`, no white space, no leading zeros.
    /// Nil when `text` is anything else or has more digits than `wholeDigitsMax` and `scaleMax` allow.
    package init?(_ text: String) {
        var coefficient: Int128 = 0
        var digits = 0
        var digitsBeforePoint: Int?
        var startsWithZero = false
        var bytes = text.utf8[...]
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative { bytes = bytes.dropFirst() }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if digits == 0 { startsWithZero = byte == UInt8(ascii: "0") }
                digits += 1
                guard digits <= ExactDecimal.wholeDigitsMax + ExactDecimal.scaleMax else { return nil }
                coefficient = coefficient * 10 + Int128(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "."):
                guard digitsBeforePoint == nil, digits > 0 else { return nil }
                digitsBeforePoint = digits
            default: return nil
            }
        }
        let whole = digitsBeforePoint ?? digits
        guard digits > 0, digitsBeforePoint != digits, !(startsWithZero && whole > 1),
            whole <= ExactDecimal.wholeDigitsMax, digits - whole <= ExactDecimal.scaleMax
        else { return nil }
        self.text = text
        self.coefficient = isNegative ? -coefficient : coefficient
        self.scale = digits - whole
    }

    private init(coefficient: Int128, scale: Int) {
        self.coefficient = coefficient
        self.scale = scale
        self.text = ExactDecimal.text(coefficient, scale)
    }

    package var isZero: Bool { coefficient == 0 }
    package var isPositive: Bool { coefficient > 0 }
    package var isWhole: Bool { coefficient % ExactDecimal.powerOfTen(scale) == 0 }

    /// The sum, without trailing zeros.
    package static func + (left: ExactDecimal, right: ExactDecimal) -> ExactDecimal {
        let scale = max(left.scale, right.scale)
        return ExactDecimal(coefficient: left.coefficient(at: scale) + right.coefficient(at: scale), scale: scale)
            .withoutTrailingZeros
    }

    /// The difference, without trailing zeros.
    package static func - (left: ExactDecimal, right: ExactDecimal) -> ExactDecimal {
        let scale = max(left.scale, right.scale)
        return ExactDecimal(coefficient: left.coefficient(at: scale) - right.coefficient(at: scale), scale: scale)
            .withoutTrailingZeros
    }

    /// The exact sum, without trailing zeros; nil where it has more digits than a decimal holds.
    package func adding(_ other: ExactDecimal) -> ExactDecimal? { (self + other).ifItFits }

    /// The exact product, without trailing zeros; nil where it has more digits than a decimal holds.
    package func multiplied(by other: ExactDecimal) -> ExactDecimal? {
        let (product, overflow) = coefficient.multipliedReportingOverflow(by: other.coefficient)
        guard !overflow else { return nil }
        return ExactDecimal(coefficient: product, scale: scale + other.scale).withoutTrailingZeros.ifItFits
    }

    private var ifItFits: ExactDecimal? {
        guard scale <= ExactDecimal.scaleMax,
            coefficient.magnitude < ExactDecimal.powerOfTen(ExactDecimal.wholeDigitsMax + scale).magnitude
        else { return nil }
        return self
    }

    /// The same value written without trailing zeros, as the broker writes it: `400.00` becomes `400`.
    package var withoutTrailingZeros: ExactDecimal {
        var coefficient = coefficient
        var scale = scale
        while scale > 0, coefficient % 10 == 0 {
            coefficient /= 10
            scale -= 1
        }
        return ExactDecimal(coefficient: coefficient, scale: scale)
    }

    private func coefficient(at scale: Int) -> Int128 {
        coefficient * ExactDecimal.powerOfTen(scale - self.scale)
    }

    private static func powerOfTen(_ exponent: Int) -> Int128 {
        var power: Int128 = 1
        for _ in 0..<exponent { power *= 10 }
        return power
    }

    private static func text(_ coefficient: Int128, _ scale: Int) -> String {
        var digits = String(coefficient.magnitude)
        if scale > 0 {
            if digits.utf8.count <= scale {
                digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits
            }
            digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale))
        }
        return coefficient < 0 ? "-" + digits : digits
    }
}

extension ExactDecimal: Comparable {
    package static func == (left: ExactDecimal, right: ExactDecimal) -> Bool {
        let scale = max(left.scale, right.scale)
        return left.coefficient(at: scale) == right.coefficient(at: scale)
    }

    package static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
        let scale = max(left.scale, right.scale)
        return left.coefficient(at: scale) < right.coefficient(at: scale)
    }
}

extension ExactDecimal: CustomStringConvertible {
    package var description: String { text }
}
