import Testing
import TradingCore

@Suite("SHA-256")
struct SHA256Tests {
    /// Source: NIST, "Secure Hash Standard Example Values", SHA-256; and RFC 6234, section 8.5.
    @Test(
        "is as the standard's examples",
        arguments: [
            ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            ("a", 1_000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
            (
                "0123456701234567012345670123456701234567012345670123456701234567", 10,
                "594847328451bdfa85056225462cc1d867d877fb388df0ce35f25ab5562bfbb5"
            ),
        ])
    func examples(text: String, times: Int, digest: String) {
        var whole = SHA256()
        whole.update(Array(String(repeating: text, count: times).utf8))
        #expect(whole.hexadecimal() == digest)
        var inParts = SHA256()
        for _ in 0..<times { inParts.update(Array(text.utf8)) }
        #expect(inParts.hexadecimal() == digest)
    }

    @Test("is the same however the bytes are parted")
    func parts() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }
        var whole = SHA256()
        whole.update(bytes)
        let digest = whole.hexadecimal()
        for size in [1, 3, 55, 56, 63, 64, 65, 119, 128, 299] {
            var parts = SHA256()
            for start in stride(from: 0, to: bytes.count, by: size) {
                parts.update(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(parts.hexadecimal() == digest)
        }
    }
}
