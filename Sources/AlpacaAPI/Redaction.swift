/// Finds secrets in bytes and writes stars over them, byte for byte, so that what was JSON stays it.
///
/// A secret is also found where JSON has escaped characters of it (`\\/`, `\\u002f`), or a URL has (`%2F`), and where the bytes
/// end within it.
struct Redaction: Equatable, Sendable {
    private let secrets: [[UInt8]]
    /// Whether a secret can begin with a byte.
    private let mayBegin: [Bool]

    /// The shortest secret that is looked for, in bytes. Alpaca's have 20 and more; a shorter one stands in many a text by
    /// chance.
    static let lengthMin = 16
    /// How much of a secret at the very end is taken for it.
    private static let beginningMin = 8

    init(of secrets: [String]) {
        self.secrets = secrets.map { Array($0.utf8) }.filter { $0.count >= Redaction.lengthMin }
        var mayBegin = [Bool](repeating: false, count: 256)
        for first in self.secrets.map({ $0[0] }) + [UInt8(ascii: "\\"), UInt8(ascii: "%")] {
            mayBegin[Int(first)] = !self.secrets.isEmpty
        }
        self.mayBegin = mayBegin
    }

    /// - Returns: Whether there was anything to hide.
    func apply(to bytes: inout [UInt8], mayBeCut: Bool) -> Bool {
        var found: [Range<Int>] = []
        bytes.withUnsafeBytes { bytes in
            mayBegin.withUnsafeBufferPointer { mayBegin in
                var start = 0
                while start < bytes.count {
                    if mayBegin[Int(bytes[start])], let end = end(ofAnyIn: bytes, start, mayBeCut: mayBeCut) {
                        found.append(start..<end)
                        start = end
                    } else {
                        start += 1
                    }
                }
            }
        }
        for range in found {
            for index in range { bytes[index] = UInt8(ascii: "*") }
        }
        return !found.isEmpty
    }

    /// Where a secret that begins at `start` ends; nil where none does.
    private func end(ofAnyIn bytes: UnsafeRawBufferPointer, _ start: Int, mayBeCut: Bool) -> Int? {
        for secret in secrets {
            if let end = end(of: secret, in: bytes, start, mayBeCut: mayBeCut) { return end }
        }
        return nil
    }

    private func end(of secret: [UInt8], in bytes: UnsafeRawBufferPointer, _ start: Int, mayBeCut: Bool) -> Int? {
        var place = start
        for count in 0..<secret.count {
            if place == bytes.count { return mayBeCut && count >= Redaction.beginningMin ? place : nil }
            if bytes[place] == secret[count] {
                place += 1
            } else if let next = escapeEnd(of: secret[count], in: bytes, place) {
                place = next
            } else {
                return nil
            }
        }
        return place
    }

    /// Where a character ends that is written as an escape; nil where it is another one.
    private func escapeEnd(of byte: UInt8, in bytes: UnsafeRawBufferPointer, _ place: Int) -> Int? {
        func has(_ prefix: StaticString, hexadecimal digits: Int) -> Int? {
            let end = place + prefix.utf8CodeUnitCount + digits
            guard end <= bytes.count else { return nil }
            for index in 0..<prefix.utf8CodeUnitCount where bytes[place + index] != prefix.utf8Start[index] {
                return nil
            }
            let text = String(decoding: bytes[(end - digits)..<end], as: UTF8.self)
            return Int(text, radix: 16) == Int(byte) ? end : nil
        }
        switch bytes[place] {
        case UInt8(ascii: "\\"):
            if place + 1 < bytes.count, bytes[place + 1] == byte, byte != UInt8(ascii: "u") { return place + 2 }
            return has("\\u", hexadecimal: 4)
        case UInt8(ascii: "%"): return has("%", hexadecimal: 2)
        default: return nil
        }
    }
}
