import AlpacaAPI
import Testing

@Suite("Credentials in bytes that are to be kept")
struct CredentialsTests {
    private static let keyID = "PK0123456789ABCDEFGH"
    private static let secretKey = "se/cret+0123456789-uvwxyz-0123456789/end"

    private func redacted(_ text: String, mayBeCut: Bool = true) throws -> (text: String, wasFound: Bool) {
        let credentials = try #require(Credentials(keyID: Self.keyID, secretKey: Self.secretKey))
        var bytes = Array(text.utf8)
        let wasFound = credentials.redact(&bytes, mayBeCut: mayBeCut)
        #expect(bytes.count == text.utf8.count)
        return (String(decoding: bytes, as: UTF8.self), wasFound)
    }

    private func stars(_ count: Int) -> String { String(repeating: "*", count: count) }

    @Test("are starred wherever they stand, and nothing else is")
    func plain() throws {
        let text = #"{"a":"\#(Self.keyID)","b":"x\#(Self.secretKey)\#(Self.secretKey)\#(Self.keyID)"}"#
        #expect(try redacted(text).text == #"{"a":"\#(stars(20))","b":"x\#(stars(100))"}"#)
        #expect(try redacted(Self.secretKey).text == stars(40))
        for other in [
            "", "PK", "{}", "PK0123456789ABCDEFG ", "\\", "%", "\\u", "%5", "se/cret+0123456789-uvwxyz-0123456789/enD",
        ] {
            let result = try redacted(other)
            #expect(result.text == other)
            #expect(!result.wasFound)
        }
    }

    @Test("are found behind the escapes of JSON and of URLs")
    func escaped() throws {
        let slashes = Self.secretKey.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "\\/")
        #expect(try redacted("<\(slashes)>").text == "<\(stars(42))>")
        let lower = Self.keyID.utf8.map { "\\u00" + String($0, radix: 16) }.joined()
        #expect(try redacted("<\(lower)>").text == "<\(stars(120))>")
        let upper = Self.keyID.utf8.map { "\\u00" + String($0, radix: 16).uppercased() }.joined()
        #expect(try redacted("<\(upper)>").text == "<\(stars(120))>")
        let percent = Self.secretKey.utf8.map { "%" + String($0, radix: 16) }.joined()
        #expect(try redacted("\(percent)&").text == stars(120) + "&")
    }

    @Test("are starred as far as they go where the bytes end within them")
    func cut() throws {
        for count in 8..<20 {
            let text = "key \(Self.keyID.prefix(count))"
            #expect(try redacted(text).text == "key " + stars(count))
            // To who sends a whole message, this would tell a guess that is partly right.
            #expect(try !redacted(text, mayBeCut: false).wasFound)
        }
        // So little of it stands in many a text.
        #expect(try !redacted("key \(Self.keyID.prefix(7))").wasFound)
    }

    @Test("that are too short to be an account's are left, or they would be found in any text")
    func short() throws {
        let credentials = try #require(Credentials(keyID: "SIMULATOR", secretKey: "s"))
        var bytes = Array(#"{"status":"SIMULATOR"}"#.utf8)
        #expect(!credentials.redact(&bytes, mayBeCut: true))
        #expect(bytes == Array(#"{"status":"SIMULATOR"}"#.utf8))
    }
}
