package import TradingCore

/// What a broker computes with money and `ExactDecimal` does not offer: products, quotients, and the reading of JSON
/// numbers. Nothing here passes through binary floating point.
extension ExactDecimal {
    /// Reads a JSON number, exponent included: SDKs that hold prices as floats write `1e-05`.
    package init?(jsonNumber literal: String) {
        let parts = literal.split(omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
        guard parts.count == 2 else {
            self.init(literal)
            return
        }
        guard let mantissa = ExactDecimal(String(parts[0])), let exponent = Int(parts[1]), abs(exponent) <= 18 else {
            return nil
        }
        let scale = mantissa.scale - exponent
        guard scale <= ExactDecimal.scaleMax, scale >= -ExactDecimal.wholeDigitsMax + 1 else { return nil }
        let digits = scale < 0 ? mantissa.digits * ExactDecimal.power(-scale) : mantissa.digits
        self.init(ExactDecimal.plainText(digits, scale: max(scale, 0)))
    }

    /// A whole number.
    package init(_ whole: Int) {
        self = ExactDecimal(digits: Int128(whole), scale: 0)
    }

    package var negated: ExactDecimal { .zero - self }
    package var magnitude: ExactDecimal { self < .zero ? negated : self }

    /// The value times ten to the power `scale`.
    private var digits: Int128 {
        var value: Int128 = 0
        for byte in text.utf8 where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") {
            value = value * 10 + Int128(byte - UInt8(ascii: "0"))
        }
        return text.utf8.first == UInt8(ascii: "-") ? -value : value
    }

    /// The product, cut off after `places` decimal places. Of the factors nine places count, the most that the broker
    /// takes, so that the product of a large quantity and a large price fits into 128 bits.
    package func times(_ other: ExactDecimal, places: Int = 9) -> ExactDecimal {
        let (left, right) = (truncated(places: 9), other.truncated(places: 9))
        return ExactDecimal(digits: left.digits * right.digits, scale: left.scale + right.scale, places: places)
    }

    /// The quotient, cut off after `places` decimal places. The divisor must not be zero.
    package func divided(by divisor: ExactDecimal, places: Int = 9) -> ExactDecimal {
        precondition(!divisor.isZero, "a price or quantity that is divided by is greater than zero")
        let wanted = places + divisor.scale - scale
        let numerator = wanted > 0 ? digits * ExactDecimal.power(wanted) : digits / ExactDecimal.power(-wanted)
        return ExactDecimal(digits: numerator / divisor.digits, scale: places, places: places)
    }

    /// The value cut off after `places` decimal places.
    package func truncated(places: Int) -> ExactDecimal {
        scale <= places ? self : ExactDecimal(digits: digits, scale: scale, places: places)
    }

    private init(digits: Int128, scale: Int, places: Int = ExactDecimal.scaleMax) {
        var digits = digits
        var scale = scale
        if scale > places {
            digits /= ExactDecimal.power(scale - places)
            scale = places
        }
        while scale > 0, digits % 10 == 0 {
            digits /= 10
            scale -= 1
        }
        guard let value = ExactDecimal(ExactDecimal.plainText(digits, scale: scale)) else {
            preconditionFailure("validation keeps quantities and prices so small that their products fit")
        }
        self = value
    }

    private static func power(_ exponent: Int) -> Int128 {
        var power: Int128 = 1
        for _ in 0..<exponent { power *= 10 }
        return power
    }

    private static func plainText(_ digits: Int128, scale: Int) -> String {
        var text = String(digits.magnitude)
        if scale > 0 {
            if text.utf8.count <= scale { text = String(repeating: "0", count: scale + 1 - text.utf8.count) + text }
            text.insert(".", at: text.index(text.endIndex, offsetBy: -scale))
        }
        return digits < 0 ? "-" + text : text
    }
}
