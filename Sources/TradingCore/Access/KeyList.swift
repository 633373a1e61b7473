package import StrictJSON

/// Who may connect to guarded endpoints, and for what: public key by public key.
package struct KeyList: Equatable, Sendable {
    package private(set) var keys: [AllowedKey] = []

    package init() {}

    /// Why a text is no key list, in words for who edited it.
    package struct Problem: Error, Equatable, CustomStringConvertible {
        package let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    package subscript(key: CurveKey) -> AllowedKey? { keys.first { $0.publicKey == key } }

    package subscript(name: KeyName) -> AllowedKey? { keys.first { $0.name == name } }

    /// Adds a key, in place of the one of the same name or the same key.
    package mutating func allow(_ key: AllowedKey) {
        keys.removeAll { $0.name == key.name || $0.publicKey == key.publicKey }
        keys.append(key)
    }

    /// Takes a key out; false where there is none of this name.
    package mutating func revoke(_ name: KeyName) -> Bool {
        guard self[name] != nil else { return false }
        keys.removeAll { $0.name == name }
        return true
    }

    // MARK: The file

    /// Reads the file strictly: what is misspelt must not pass for a right.
    package init(parsing content: [UInt8]) throws(Problem) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: content, depthLimit: 8)
        } catch {
            throw Problem("it must be one JSON object: \(error)")
        }
        let members = try KeyList.members(of: value, "the file", ["v", "keys"])
        guard members["v"] == 1 else { throw Problem("v must be 1") }
        guard let entries = members["keys"]?.array else { throw Problem("keys must be an array") }
        for (index, entry) in entries.enumerated() {
            let key = try AllowedKey(entry, place: "keys[\(index)]")
            guard self[key.name] == nil else { throw Problem("the name \(key.name) is there twice") }
            guard self[key.publicKey] == nil else { throw Problem("the public key of \(key.name) is there twice") }
            keys.append(key)
        }
    }

    /// The file's text, one key a line.
    package var text: String {
        let lines = keys.map { "  " + $0.json.text }.joined(separator: ",\n")
        return "{\"v\": 1, \"keys\": [\(lines.isEmpty ? "" : "\n\(lines)\n")]}\n"
    }

    static func members(
        of value: JSONValue, _ place: String, _ known: [String]
    ) throws(Problem) -> [String: JSONValue] {
        guard let members = value.members else { throw Problem("\(place) must be an object") }
        for member in members where !known.contains(member.key) {
            throw Problem("\(place) has no member \(member.key); it has \(known.joined(separator: ", "))")
        }
        return Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) })
    }
}

/// One key of the list.
package struct AllowedKey: Equatable, Sendable {
    package var name: KeyName
    package var publicKey: CurveKey
    package var roles: Set<Role>
    /// Whose decisions it may send; only for `trade`.
    package var strategies: Strategies

    package enum Role: String, CaseIterable, Sendable {
        /// Decisions, and questions about them, of its strategies.
        case trade
        /// Outcomes, states and replays, of all strategies.
        case read
    }

    package enum Strategies: Equatable, Sendable {
        case all
        case only(Set<StrategyName>)

        package func contains(_ strategy: StrategyName) -> Bool {
            switch self {
            case .all: true
            case .only(let names): names.contains(strategy)
            }
        }

        /// As a list for people: `all`, or the names.
        package var text: String {
            switch self {
            case .all: "all"
            case .only(let names): names.map(\.text).sorted().joined(separator: ", ")
            }
        }
    }

    package init(name: KeyName, publicKey: CurveKey, roles: Set<Role>, strategies: Strategies) {
        self.name = name
        self.publicKey = publicKey
        self.roles = roles
        self.strategies = strategies
    }

    fileprivate init(_ value: JSONValue, place: String) throws(KeyList.Problem) {
        typealias Problem = KeyList.Problem
        let members = try KeyList.members(of: value, place, ["name", "public_key", "roles", "strategies"])
        guard let name = members["name"]?.string.flatMap(KeyName.init) else {
            throw Problem("\(place).name must be 1 to 48 of A-Z a-z 0-9 . _ -, not beginning with a dot")
        }
        guard let publicKey = members["public_key"]?.string.flatMap(CurveKey.init) else {
            throw Problem("the public_key of \(name) must be 40 characters of Z85")
        }
        self.name = name
        self.publicKey = publicKey
        let roles = members["roles"]?.array?.map { $0.string.flatMap(Role.init) } ?? []
        guard !roles.isEmpty, roles.allSatisfy({ $0 != nil }) else {
            throw Problem("the roles of \(name) must be \"trade\", \"read\" or both")
        }
        self.roles = Set(roles.compactMap { $0 })
        strategies = try AllowedKey.strategies(members["strategies"], of: name, mayTrade: self.roles.contains(.trade))
    }

    private static func strategies(
        _ value: JSONValue?, of name: KeyName, mayTrade: Bool
    ) throws(KeyList.Problem) -> Strategies {
        guard mayTrade else {
            guard value == nil else {
                throw KeyList.Problem(
                    "\(name) may not trade, so it can have no strategies; what is read is not divided")
            }
            return .only([])
        }
        guard let texts = value?.array?.map(\.string), !texts.isEmpty else {
            throw KeyList.Problem("the strategies of \(name) must be an array of names, or [\"*\"] for all")
        }
        if texts == ["*"] { return .all }
        var names: Set<StrategyName> = []
        for text in texts {
            guard let strategy = text.flatMap(StrategyName.init) else {
                throw KeyList.Problem("the strategies of \(name) must be strategy names, or [\"*\"] alone for all")
            }
            names.insert(strategy)
        }
        return .only(names)
    }

    /// The entry as it stands in the file.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name.text)), .init("public_key", .string(publicKey.text)),
            .init("roles", .array(Role.allCases.filter(roles.contains).map { .string($0.rawValue) })),
        ]
        if roles.contains(.trade) {
            switch strategies {
            case .all: members.append(.init("strategies", ["*"]))
            case .only(let names):
                members.append(.init("strategies", .array(names.map(\.text).sorted().map { .string($0) })))
            }
        }
        return .object(members)
    }
}
