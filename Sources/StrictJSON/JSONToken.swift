/// A string or number as it stands in the text that is being read: a view of its bytes, valid only while the
/// reader's bytes are.
package struct JSONToken {
    /// The bytes between the quotes of a string, or the literal of a number.
    package let bytes: UnsafeRawBufferPointer
    /// Whether a string holds backslash escapes, so that `bytes` is not yet its value.
    package let hasEscapes: Bool

    /// The value, with escapes resolved. The reader has checked them, so this cannot fail.
    package var text: String {
        hasEscapes ? JSONToken.unescaped(bytes) : String(decoding: bytes, as: UTF8.self)
    }

    /// Lets a `switch` over keys name them as literals.
    package static func ~= (literal: StaticString, token: JSONToken) -> Bool {
        let name = UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
        if token.hasEscapes { return token.text.utf8.elementsEqual(name) }
        return isEqual(token.bytes, name)
    }

    private static func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count where left[index] != right[index] { return false }
        return true
    }

    /// A number below 64 that most differing keys differ in: from the length, the first and the last byte.
    var glance: UInt8 {
        guard let first = bytes.first, let last = bytes.last else { return 0 }
        return (UInt8(truncatingIfNeeded: bytes.count) &* 7 &+ first &* 3 &+ last) & 63
    }

    /// Whether two strings have the same value, byte by byte.
    func hasSameText(as other: JSONToken) -> Bool {
        if hasEscapes || other.hasEscapes { return text.utf8.elementsEqual(other.text.utf8) }
        return JSONToken.isEqual(bytes, other.bytes)
    }

    private static func unescaped(_ bytes: UnsafeRawBufferPointer) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\\") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let escape = bytes[index + 1]
            index += 2
            switch escape {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "u"):
                var scalar = hexadecimal(bytes, at: index)
                index += 4
                if (0xD800..<0xDC00).contains(scalar) {
                    let low = hexadecimal(bytes, at: index + 2)
                    index += 6
                    scalar = 0x10000 + ((scalar - 0xD800) << 10) + (low - 0xDC00)
                }
                guard let scalar = Unicode.Scalar(scalar) else {
                    preconditionFailure("the reader checks \\u escapes before it makes a token")
                }
                result.append(contentsOf: UTF8.encode(scalar)!)
            default: result.append(escape)  // \" \\ \/
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The value of four hexadecimal digits, which the caller has checked.
    static func hexadecimal(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt32 {
        var value: UInt32 = 0
        for byte in bytes[index..<index + 4] {
            value = value << 4 | UInt32(hexadecimalDigit(byte)!)
        }
        return value
    }

    static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
