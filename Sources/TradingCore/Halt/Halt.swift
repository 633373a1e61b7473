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

    /// A halt as its file tells it. Whatever is in the file, its being there halts; what cannot be read is left out.
    package init(_ scope: Scope, fileContent: [UInt8]) {
        self.init(scope, (try? JSONValue(parsing: fileContent)) ?? .null)
    }

    /// A halt as its JSON tells it; what is not there is left out.
    package init(_ scope: Scope, _ value: JSONValue) {
        self.init(scope)
        hold = value["hold"]?.bool ?? false
        reason = value["reason"]?.string
        by = value["by"]?.string
        at = value["at"]?.string.flatMap(Timestamp.init)
    }
}
