import StrictJSON
import TradingCore

/// A list of allowed keys: what it allows stands in it word by word, and what is written of it reads the same.
func checkKeyList(_ bytes: [UInt8]) throws {
    let list: KeyList
    do {
        list = try KeyList(parsing: bytes)
    } catch {
        return try expect(!error.description.isEmpty, "a problem says what it is")
    }
    guard let entries = tree(bytes)?["keys"]?.array else {
        throw BrokenProperty(description: "a list that is read has keys")
    }
    try expect(entries.count == list.keys.count, "each entry is one key")
    for (entry, key) in zip(entries, list.keys) {
        let roles = entry["roles"]?.array?.compactMap(\.string) ?? []
        try expect(isSameText(entry["public_key"]?.string, key.publicKey.text), "a key is the one that is written")
        try expect(list[key.publicKey] == key && list[key.name] == key, "a key is found by name and by itself")
        try expect(key.roles.allSatisfy { roles.contains($0.rawValue) }, "a role is written")
        let strategies = entry["strategies"]?.array?.compactMap(\.string) ?? []
        switch key.strategies {
        case .all: try expect(strategies == ["*"], "all strategies are allowed by a star alone")
        case .only(let names):
            try expect(names.allSatisfy { strategies.contains($0.text) }, "a strategy is written")
            try expect(key.roles.contains(.trade) || names.isEmpty, "who may not trade has no strategies")
        }
    }
    try expect(try KeyList(parsing: Array(list.text.utf8)) == list, "what is written reads the same")
}

/// A key file: its keys are in it, what is written of it reads the same, and no problem quotes it.
func checkKeyFile(_ bytes: [UInt8]) throws {
    let certificate: KeyCertificate
    do {
        certificate = try KeyCertificate(parsing: bytes)
    } catch {
        // One of so many fixed texts.
        let texts = [
            "it is not a text file", "it has no public-key", "public-key is there twice", "secret-key is there twice",
            "public-key is not 40 characters of Z85", "secret-key is not 40 characters of Z85",
        ]
        return try expect(texts.contains(error.description), "a problem says what it is and nothing of the file")
    }
    for key in [certificate.publicKey, certificate.secretKey].compactMap({ $0 }) {
        try expect(CurveKey(key.text) == key, "a key is one")
        let text = Array(key.text.utf8)
        try expect(
            (0...(bytes.count - text.count)).contains { bytes[$0...].starts(with: text) }, "a key stands in its file")
    }
    guard let name = KeyName("alice") else { throw BrokenProperty(description: "this is a name") }
    try expect(
        try KeyCertificate(parsing: Array(certificate.text(name: name).utf8)) == certificate,
        "what is written reads the same")
}
