import Testing

@testable import StrictJSON

/// Texts are read and written eight bytes at a time; what ends a run may stand at any place of a word, or after the last.
@Suite("A character that cannot stand in a JSON string as it is")
struct WordwiseTests {
    private static let special: [Character] = ["\"", "\\", "\n", "\u{1F}", "\u{0}"]

    private func texts(with character: Character) -> [String] {
        (0...20).flatMap { length in
            (0...length).map { place in
                String(repeating: "a", count: place) + String(character) + String(repeating: "é", count: length - place)
            }
        }
    }

    @Test("is escaped wherever it stands, and read back", arguments: special)
    func roundTrip(_ character: Character) throws {
        for text in texts(with: character) {
            var writer = JSONWriter()
            writer.string(text)
            let value = try JSONValue(parsing: writer.bytes)
            #expect(value.string == text)
            let isClean = writer.bytes.allSatisfy { $0 >= 0x20 }
            #expect(isClean)
        }
    }

    @Test("is found by itself, and nothing else is", arguments: special)
    func found(_ character: Character) throws {
        for text in texts(with: character) {
            let bytes = Array(text.utf8)
            let place = bytes.firstIndex { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }
            let end = bytes.withUnsafeBytes { $0.endOfPlainCharacters(from: 0) }
            #expect(end == place)
        }
        let plain = Array((0x20...0x7F).map { UInt8($0) }.filter { $0 != 0x22 && $0 != 0x5C }) + Array("é€😀".utf8)
        for start in plain.indices {
            let end = plain[start...].withUnsafeBytes { $0.endOfPlainCharacters(from: 0) }
            #expect(end == plain.count - start)
        }
    }

    private func isASCII(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { $0.isASCII } }
    private func isASCIIWithoutZero(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { $0.isASCIIWithoutZero } }

    @Test("does not hide that a text is not ASCII, or holds a zero")
    func ascii() {
        for length in 0...20 {
            let plain = [UInt8](repeating: 0x7F, count: length)
            #expect(isASCII(plain))
            #expect(isASCIIWithoutZero(plain))
            for place in 0..<length {
                var foreign = plain
                foreign[place] = 0x80
                #expect(!isASCII(foreign))
                #expect(!isASCIIWithoutZero(foreign))
                var zero = plain
                zero[place] = 0
                #expect(isASCII(zero))
                #expect(!isASCIIWithoutZero(zero))
            }
        }
    }
}

@Suite("A key that is known")
struct KnownKeysTests {
    private static let names: [StaticString] = ["id", "di", "status", "sutats", "filled_qty", ""]
    private let keys = KnownKeys(names)

    private func index(ofKeyWritten text: String) throws -> Int? {
        let json = Array("{\(text):1}".utf8)
        return try json.withUnsafeBytes { bytes in
            var reader = try JSONReader(bytes)
            try reader.beginObject()
            guard let key = try reader.nextKey() else { return nil }
            return keys.index(of: key)
        }
    }

    @Test("is found as it stands and with escapes, and no other is")
    func found() throws {
        for (place, name) in Self.names.enumerated() {
            let index = try index(ofKeyWritten: "\"\(name)\"")
            #expect(index == place)
        }
        let escaped = try index(ofKeyWritten: #""st\u0061tus""#)
        #expect(escaped == 2)
        for other in ["Id", "ids", "statu", "filled_qtz"] {
            let index = try index(ofKeyWritten: "\"\(other)\"")
            #expect(index == nil)
        }
    }

    @Test("twice in one object is seen, with escapes and among many", arguments: [1, 16, 64, 65, 200])
    func twice(_ count: Int) throws {
        let members = (0..<count).map { "\"key-\($0)\":1" }
        for again in ["\"key-0\":1", #""key\u002d0":1"#] {
            let json = Array(("{" + (members + [again]).joined(separator: ",") + "}").utf8)
            #expect(throws: JSONError.duplicateKey("key-0")) { try pass(json) }
        }
        let json = Array(("{" + members.joined(separator: ",") + "}").utf8)
        try pass(json)
    }

    private func pass(_ json: [UInt8]) throws {
        try json.withUnsafeBytes { bytes in
            var reader = try JSONReader(bytes, refusesDuplicateKeys: true)
            try reader.skipValue()
        }
    }
}
