/// Looks through bytes eight at a time.
extension UnsafeRawBufferPointer {
    /// Whether all bytes are ASCII.
    package var isASCII: Bool {
        var index = 0
        while index + 8 <= count {
            if word(at: index) & Self.highBits != 0 { return false }
            index += 8
        }
        while index < count {
            if self[index] >= 0x80 { return false }
            index += 1
        }
        return true
    }

    /// Whether all bytes are ASCII, and none is zero.
    package var isASCIIWithoutZero: Bool {
        var index = 0
        while index + 8 <= count {
            let word = word(at: index)
            if word & Self.highBits | Self.zeroBytes(word) != 0 { return false }
            index += 8
        }
        while index < count {
            if self[index] >= 0x80 || self[index] == 0 { return false }
            index += 1
        }
        return true
    }

    /// Where the run of characters ends, beginning at `start`, that stand in a JSON string as they are: at a quote, a
    /// backslash or a control character, or at the end of the bytes.
    func endOfPlainCharacters(from start: Int) -> Int {
        var index = start
        while index + 8 <= count {
            let word = word(at: index)
            // Subtracting borrows from the byte above, so the lowest mark is right, and only that is looked at.
            let marks =
                Self.zeroBytes(word ^ Self.repeated(UInt8(ascii: "\"")))
                | Self.zeroBytes(word ^ Self.repeated(UInt8(ascii: "\\")))
                | ((word &- Self.repeated(0x20)) & ~word & Self.highBits)
            if marks != 0 { return index + marks.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count {
            let byte = self[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            index += 1
        }
        return index
    }

    private func word(at index: Int) -> UInt64 {
        UInt64(littleEndian: loadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    private static var highBits: UInt64 { repeated(0x80) }

    private static func repeated(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

    /// The high bit of every byte that is zero; of those above the lowest such byte, maybe of others too.
    private static func zeroBytes(_ word: UInt64) -> UInt64 { (word &- repeated(1)) & ~word & highBits }
}
