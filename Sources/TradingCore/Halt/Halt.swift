package import StrictJSON

/// An operator's order to stop trading, for one strategy or for all.
package struct Halt: Equatable, Sendable {
    package enum Scope: Hashable, Sendable {
        case all
        case strategy(StrategyName)
    }

    package var scope: Scope
    /// Waiting decisions wait, instead of being refused; their deadlines run on.
    package var hold: Bool
    package var reason: String?
    /// Who halted.
    package var by: String?
    package var at: Timestamp?

    package init(
        _ scope: Scope, hold: Bool = false, reason: String? = nil, by: String? = nil, at: Timestamp? = nil
    ) {
        self.scope = scope
        self.hold = hold
        self.reason = reason
        self.by = by
        self.at = at
    }

    package var json: JSONValue {
        [
            "scope": .string(scopeText), "hold": .bool(hold), "reason": reason.map { .string($0) } ?? .null,
            "by": by.map { .string($0) } ?? .null, "at": at.map { .string($0.text) } ?? .null,
        ]
    }

    package var scopeText: String {
        switch scope {
        case .all: "all"
        case .strategy(let name): name.text
        }
    }

    /// What the files in the state directory's `halt` folder are called. Making one by hand, empty, halts as well.
    package static func fileName(_ scope: Scope) -> String {
        switch scope {
        case .all: "all"
        case .strategy(let name): "strategy-" + name.text
        }
    }

    package static func scope(fileName: String) -> Scope? {
        if fileName == "all" { return .all }
        guard fileName.hasPrefix("strategy-") else { return nil }
        return StrategyName(String(fileName.dropFirst("strategy-".count))).map(Scope.strategy)
    }

    /// A halt of which nobody can tell more. What waits is kept waiting: that can be undone, and a refusal cannot.
    package init(unreadable scope: Scope, _ why: String) {
        self.init(scope, hold: true, reason: why)
    }

    /// A halt as its file tells it. Whatever is in the file, its being there halts. An empty one is as `touch` makes it.
    package init(_ scope: Scope, fileContent: [UInt8]) {
        if fileContent.allSatisfy(Halt.isBlank) {
            self.init(scope)
        } else if let value = try? JSONValue(parsing: fileContent), value.members != nil {
            self.init(scope, value)
        } else {
            self.init(unreadable: scope, "the halt file is neither empty nor a JSON object")
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// A halt as its JSON tells it; what is not there is left out.
    package init(_ scope: Scope, _ value: JSONValue) {
        self.init(scope)
        hold = value["hold"].map { $0.bool ?? ($0 != .null) } ?? false
        reason = value["reason"]?.string
        by = value["by"]?.string
        at = value["at"]?.string.flatMap(Timestamp.init)
    }
}
