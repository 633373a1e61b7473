/// A strict pull reader of one JSON text (RFC 8259): no trailing commas, no NaN, no leading zeros, no byte order
/// mark, valid UTF-8 only, no lone surrogates, a limit on nesting.
///
/// It hands out numbers as their literal text, so nothing is ever rounded, and it allocates nothing by itself.
///
/// ```swift
/// try reader.beginObject()
/// while let key = try reader.nextKey() {
///     switch key {
///     case "symbol": symbol = try reader.string()
///     default: try reader.skipValue()
///     }
/// }
/// try reader.finish()
/// ```
package struct JSONReader {
    /// What a value begins like; enough to choose how to read it.
    package enum Kind: Equatable {
        case object
        case array
        case string
        case number
        case bool
        case null
    }

    private let bytes: UnsafeRawBufferPointer
    private let depthLimit: Int
    private let refusesDuplicateKeys: Bool
    private var position = 0
    private var depth = 0
    /// Bit n is set while the container at depth n has no member yet, that is, while no comma is due in it.
    private var emptySoFar: UInt64 = 0

    /// - Parameters:
    ///   - bytes: The whole text. It must stay valid as long as the reader and its tokens are used.
    ///   - depthLimit: How deep objects and arrays may nest, the outermost counting as 1; at most 62.
    ///   - refusesDuplicateKeys: Whether `skipValue` and `rawValue` refuse equal keys inside the values they pass.
    ///     Who reads members by `nextKey` watches for equal keys there.
    package init(
        _ bytes: UnsafeRawBufferPointer, depthLimit: Int = 32, refusesDuplicateKeys: Bool = false
    ) throws(JSONError) {
        precondition(depthLimit <= 62, "the depth is kept in the bits of one word")
        guard JSONReader.isUTF8(bytes) else { throw .notUTF8 }
        self.bytes = bytes
        self.depthLimit = depthLimit
        self.refusesDuplicateKeys = refusesDuplicateKeys
    }

    // MARK: Values

    /// The kind of the value that comes next.
    package mutating func peekKind() throws(JSONError) -> Kind {
        skipWhitespace()
        guard position < bytes.count else { throw expected("a value") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        default: throw expected("a value")
        }
    }

    package mutating func beginObject() throws(JSONError) {
        try open(UInt8(ascii: "{"), "an object")
    }

    /// The next member's key, with the reader standing before its value; nil at the object's end.
    package mutating func nextKey() throws(JSONError) -> JSONToken? {
        guard try advance(closing: UInt8(ascii: "}")) else { return nil }
        let key = try stringToken()
        skipWhitespace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw expected("\":\"") }
        position += 1
        return key
    }

    package mutating func beginArray() throws(JSONError) {
        try open(UInt8(ascii: "["), "an array")
    }

    /// Whether an element follows, with the reader standing before it; false at the array's end.
    package mutating func nextElement() throws(JSONError) -> Bool {
        try advance(closing: UInt8(ascii: "]"))
    }

    package mutating func string() throws(JSONError) -> String {
        try stringToken().text
    }

    package mutating func stringToken() throws(JSONError) -> JSONToken {
        skipWhitespace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw expected("a string") }
        position += 1
        let start = position
        var hasEscapes = false
        while true {
            position = bytes.endOfPlainCharacters(from: position)
            guard position < bytes.count else { throw expected("the end of a string") }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return JSONToken(bytes: slice(start, position - 1), hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try passEscape()
            default:
                throw expected("no control character in a string")
            }
        }
    }

    /// A number's literal, exactly as written.
    package mutating func numberToken() throws(JSONError) -> JSONToken {
        skipWhitespace()
        let start = position
        passIf(UInt8(ascii: "-"))
        if !passIf(UInt8(ascii: "0")) { try passDigits() }
        if passIf(UInt8(ascii: ".")) { try passDigits() }
        if passIf(UInt8(ascii: "e")) || passIf(UInt8(ascii: "E")) {
            if !passIf(UInt8(ascii: "+")) { passIf(UInt8(ascii: "-")) }
            try passDigits()
        }
        return JSONToken(bytes: slice(start, position), hasEscapes: false)
    }

    package mutating func bool() throws(JSONError) -> Bool {
        if pass("true") { return true }
        if pass("false") { return false }
        throw expected("true or false")
    }

    package mutating func null() throws(JSONError) {
        guard pass("null") else { throw expected("null") }
    }

    /// Reads null where there is one, and says whether there was.
    package mutating func nullIfPresent() throws(JSONError) -> Bool {
        guard try peekKind() == .null else { return false }
        try null()
        return true
    }

    /// Passes over one value of any kind, checking it like all others.
    package mutating func skipValue() throws(JSONError) {
        switch try peekKind() {
        case .object:
            try beginObject()
            var keys = KeysSeen()
            while let key = try nextKey() {
                if refusesDuplicateKeys, !keys.insert(key) { throw .duplicateKey(key.text) }
                try skipValue()
            }
        case .array:
            try beginArray()
            while try nextElement() { try skipValue() }
        case .string: _ = try stringToken()
        case .number: _ = try numberToken()
        case .bool: _ = try bool()
        case .null: try null()
        }
    }

    /// Passes over one value and returns its bytes as they came.
    package mutating func rawValue() throws(JSONError) -> UnsafeRawBufferPointer {
        let start = beginningOfValue()
        try skipValue()
        return bytes(since: start)
    }

    /// Where the value begins that comes next, for `bytes(since:)`.
    package mutating func beginningOfValue() -> Int {
        skipWhitespace()
        return position
    }

    /// What has been read since then, as it came.
    package func bytes(since start: Int) -> UnsafeRawBufferPointer { slice(start, position) }

    /// Checks that nothing but white space follows.
    package mutating func finish() throws(JSONError) {
        skipWhitespace()
        guard position == bytes.count else { throw expected("the end of the text") }
    }

    // MARK: Steps

    private func expected(_ what: String) -> JSONError {
        .syntax(offset: position, expected: what)
    }

    private func slice(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func open(_ bracket: UInt8, _ what: String) throws(JSONError) {
        skipWhitespace()
        guard position < bytes.count, bytes[position] == bracket else { throw expected(what) }
        guard depth < depthLimit else { throw .tooDeep(limit: depthLimit) }
        position += 1
        depth += 1
        emptySoFar |= 1 << depth
    }

    /// Moves to the next member or element of the container that is open. False, and closed, at its end.
    private mutating func advance(closing bracket: UInt8) throws(JSONError) -> Bool {
        skipWhitespace()
        guard position < bytes.count else { throw expected("the end of an object or array") }
        let isFirst = emptySoFar & (1 << depth) != 0
        if bytes[position] == bracket {
            position += 1
            emptySoFar &= ~(1 << depth)
            depth -= 1
            return false
        }
        if isFirst {
            emptySoFar &= ~(1 << depth)
        } else {
            guard passIf(UInt8(ascii: ",")) else { throw expected("\",\"") }
        }
        return true
    }

    @discardableResult
    private mutating func passIf(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func pass(_ literal: StaticString) -> Bool {
        skipWhitespace()
        let count = literal.utf8CodeUnitCount
        guard position + count <= bytes.count,
            bytes[position..<position + count].elementsEqual(
                UnsafeBufferPointer(start: literal.utf8Start, count: count))
        else { return false }
        position += count
        return true
    }

    private mutating func passDigits() throws(JSONError) {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        guard position > start else { throw expected("a digit") }
    }

    private mutating func passEscape() throws(JSONError) {
        position += 1
        guard position < bytes.count else { throw expected("an escape") }
        switch bytes[position] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            let unit = try passFourHexadecimalDigits()
            switch unit {
            case 0xD800..<0xDC00:
                guard passIf(UInt8(ascii: "\\")), passIf(UInt8(ascii: "u")),
                    (0xDC00..<0xE000).contains(try passFourHexadecimalDigits())
                else { throw expected("the second half of a surrogate pair") }
            case 0xDC00..<0xE000: throw expected("no lone surrogate")
            default: break
            }
        default: throw expected("an escape")
        }
    }

    private mutating func passFourHexadecimalDigits() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count,
            bytes[position..<position + 4].allSatisfy({ JSONToken.hexadecimalDigit($0) != nil })
        else { throw expected("four hexadecimal digits") }
        defer { position += 4 }
        return JSONToken.hexadecimal(bytes, at: position)
    }

    private static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.isASCII || String(validating: bytes, as: UTF8.self) != nil
    }
}

/// The keys of one object so far: compared in place while they are few, in a set once a hostile text has many.
///
/// Compared byte by byte: Swift's `==` of strings takes differently composed letters for equal, JSON does not.
package struct KeysSeen {
    private var few: [JSONToken] = []
    /// One bit for every look that a key can have at a glance. Most keys look like none before them.
    private var glances: UInt64 = 0
    private var many: Set<[UInt8]> = []

    package init() {}

    /// False if an equal key was inserted before.
    package mutating func insert(_ key: JSONToken) -> Bool {
        if !many.isEmpty { return many.insert(Array(key.text.utf8)).inserted }
        let glance = 1 << key.glance as UInt64
        if glances & glance != 0 || key.hasEscapes {
            guard !few.contains(where: { $0.hasSameText(as: key) }) else { return false }
        }
        // A key with escapes may equal one that looks otherwise, so from here on each is compared with all.
        glances = key.hasEscapes ? .max : glances | glance
        few.append(key)
        if few.count > 64 { many = Set(few.map { Array($0.text.utf8) }) }
        return true
    }
}
