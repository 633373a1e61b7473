import StrictJSON
import Testing

@Suite("A JSON text that is read")
struct ReadingTests {
    @Test(
        "is refused where RFC 8259 does not allow it",
        arguments: [
            "", " ", "{", "{\"a\":1,}", "[1,]", "{\"a\" 1}", "{a:1}", "[1 2]", "01", "-", "1.", ".5", "+1", "1e", "NaN",
            "Infinity", "tru", "\"a", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
            "\"a\nb\"", "1 2", "{} []", "\u{FEFF}{}", "'a'", "{\"a\":1}}", "]",
        ])
    func refused(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test(
        "comes back as it was, literal numbers included",
        arguments: [
            "null", "true", "0", "-0", "1.10", "1e-9", "9007199254740993", "0.30000000000000004", "\"\"", "[]", "{}",
            "{\"a\":[1,2,{\"b\":null}],\"c\":\"x\"}", "\"ü😀\"",
        ])
    func roundTrip(_ text: String) throws {
        #expect(try JSONValue(parsing: text).text == text)
    }

    @Test("has its escapes resolved")
    func escapes() throws {
        let value = try JSONValue(parsing: #""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00""#)
        #expect(value.string == "\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{1F600}")
    }

    @Test("is refused when it is not UTF-8")
    func notUTF8() {
        #expect(throws: JSONError.notUTF8) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.notUTF8) { try JSONValue(parsing: [0x22, 0xED, 0xA0, 0x80, 0x22]) }
    }

    @Test("is refused when it nests deeper than the limit, and taken at the limit")
    func depth() throws {
        #expect(throws: JSONError.tooDeep(limit: 2)) { try JSONValue(parsing: Array("[[[]]]".utf8), depthLimit: 2) }
        _ = try JSONValue(parsing: Array("[[[]]]".utf8), depthLimit: 3)
    }

    @Test(
        "is refused when a key stands twice, escaped or not",
        arguments: ["{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}"])
    func duplicateKeys(_ text: String) {
        #expect(throws: JSONError.duplicateKey("a")) { try JSONValue(parsing: text) }
    }

    @Test("may have keys that only look alike, being composed differently")
    func keysThatLookAlike() throws {
        _ = try JSONValue(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
        _ = try JSONValue(parsing: "{\"\\u00e9\":1,\"e\u{301}\":2}")
        let many = (0..<20).map { "\"k\($0)\":0," }.joined()
        _ = try JSONValue(parsing: "{\(many)\"\u{E9}\":1,\"e\u{301}\":2}")
    }

    @Test("is refused when one of very many keys stands twice")
    func duplicateAmongMany() {
        let members = (0..<100).map { "\"k\($0)\":0" }.joined(separator: ",")
        #expect(throws: JSONError.duplicateKey("k50")) { try JSONValue(parsing: "{\(members),\"k50\":1}") }
    }
}

@Suite("A value that is skipped")
struct SkippingTests {
    /// Skips the one value of `text` and returns its bytes.
    private func raw(_ text: String) throws(JSONError) -> String {
        let result = Array(text.utf8).withUnsafeBytes { (bytes) -> Result<String, JSONError> in
            Result { () throws(JSONError) -> String in
                var reader = try JSONReader(bytes, depthLimit: 8, refusesDuplicateKeys: true)
                let raw = try reader.rawValue()
                try reader.finish()
                return String(decoding: raw, as: UTF8.self)
            }
        }
        return try result.get()
    }

    @Test("keeps its bytes, white space inside included")
    func keepsBytes() throws {
        #expect(try raw("  {\"a\" : [1, 2.50]}\n") == "{\"a\" : [1, 2.50]}")
    }

    @Test("is checked like one that is read")
    func isChecked() {
        #expect(throws: JSONError.self) { try raw("{\"a\":[1,]}") }
        #expect(throws: JSONError.duplicateKey("b")) { try raw("{\"a\":{\"b\":1,\"b\":1}}") }
    }
}

@Suite("A JSON text that is written")
struct WritingTests {
    @Test("separates members and elements, and escapes what must be")
    func writes() throws {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("a", "q\"\\\n\u{1}é")
            writer.member("b", 12)
            writer.member("c", nil as String?)
            writer.key("d")
            writer.array { writer in
                writer.number(1)
                writer.object { $0.member("e", true) }
            }
            writer.key("f")
            writer.raw("{\"g\":1}".utf8)
        }
        #expect(
            writer.text
                == #"{"a":"q\"\\\n\u0001é","b":12,"c":null,"d":[1,{"e":true}],"f":{"g":1}}"#)
    }
}
