/// A CURVE key of 32 bytes, public or secret, in Z85 (RFC 32 of ZeroMQ): 40 printable characters.
package struct CurveKey: Hashable, Sendable {
    package let text: String

    package init?(_ text: String) {
        guard text.utf8.count == 40, text.utf8.allSatisfy(CurveKey.isZ85) else { return nil }
        self.text = text
    }

    private static func isZ85(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: ".-:+=^!/*?&<>()[]{}@%$#".utf8.contains(byte)
        }
    }
}

/// A key pair, or the public half of one, as czmq and pyzmq keep it: a file in ZPL (RFC 4 of ZeroMQ) with a section
/// `curve`. `NAME.key` holds the public key, `NAME.key_secret` both.
package struct KeyCertificate: Equatable, Sendable {
    package var publicKey: CurveKey
    package var secretKey: CurveKey?

    /// Why a file is no certificate. It never quotes the file, which may hold a secret.
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
    }

    package init(publicKey: CurveKey, secretKey: CurveKey? = nil) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// Reads a file. Values may be in quotes or not; a `#` begins a comment only at a line's start, since Z85 has it too.
    package init(parsing content: [UInt8]) throws(Problem) {
        guard let text = String(validating: content, as: UTF8.self) else {
            throw Problem(description: "it is not a text file")
        }
        var keys: [String: CurveKey] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmed
            guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { continue }
            let name = String(line[..<equals].trimmed)
            guard name == "public-key" || name == "secret-key" else { continue }
            guard keys[name] == nil else { throw Problem(description: "\(name) is there twice") }
            let value = KeyCertificate.unquoted(line[line.index(after: equals)...].trimmed)
            guard let key = CurveKey(String(value)) else {
                throw Problem(description: "\(name) is not 40 characters of Z85")
            }
            keys[name] = key
        }
        guard let publicKey = keys["public-key"] else { throw Problem(description: "it has no public-key") }
        self.publicKey = publicKey
        secretKey = keys["secret-key"]
    }

    /// The file's text, as czmq writes it.
    /// - Parameter name: Whose it is.
    package func text(name: KeyName) -> String {
        var text = """
            #   \(secretKey == nil ? "ZeroMQ CURVE public certificate" : "ZeroMQ CURVE **secret** certificate")
            #   \(secretKey == nil ? "May be given to anybody." : "Keep it to yourself, and this file readable by you only.")
            metadata
                name = "\(name)"
            curve
                public-key = "\(publicKey.text)"

            """
        if let secretKey { text += "    secret-key = \"\(secretKey.text)\"\n" }
        return text
    }

    private static func unquoted(_ text: Substring) -> Substring {
        for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
            return text.dropFirst().dropLast()
        }
        return text
    }
}

/// What a key is called: 1 to 48 of `A-Z a-z 0-9 . _ -`, not beginning with a dot, so that it can name a file.
package struct KeyName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        guard let name = PartitionName(text), !text.hasPrefix(".") else { return nil }
        self.text = name.text
    }

    package var description: String { text }
}
