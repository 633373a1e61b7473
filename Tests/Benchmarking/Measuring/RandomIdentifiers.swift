/// UUIDs: random ones (version 4), and such as begin with a time (version 7 of RFC 9562), as the worker's own.
enum RandomUUID {
    static func text() -> String {
        var generator = SystemRandomNumberGenerator()
        return text(using: &generator)
    }

    static func text(using generator: inout some RandomNumberGenerator) -> String {
        let (high, low) = (generator.next() as UInt64, generator.next() as UInt64)
        return text(high & ~0xF000 | 0x4000, low)
    }

    /// - Parameter milliseconds: Since 1970.
    static func timeOrdered(_ milliseconds: Int64, using generator: inout some RandomNumberGenerator) -> String {
        let (high, low) = (generator.next() as UInt64, generator.next() as UInt64)
        return text(UInt64(milliseconds) << 16 | 0x7000 | high & 0xFFF, low)
    }

    private static func text(_ high: UInt64, _ low: UInt64) -> String {
        let low = low & ~(3 << 62) | 2 << 62
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var place = 0
            for index in 0..<32 {
                if [8, 12, 16, 20].contains(index) {
                    buffer[place] = UInt8(ascii: "-")
                    place += 1
                }
                let word = index < 16 ? high : low
                buffer[place] = digits[Int(word >> UInt64(60 - index % 16 * 4) & 15)]
                place += 1
            }
            return 36
        }
    }
}
