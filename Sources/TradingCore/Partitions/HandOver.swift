import StrictJSON

/// What goes with the rows of a strategy that is handed over to another machine, so that they are taken in where they belong,
/// and once.
package struct HandOver: Equatable, Sendable {
    package var strategy: StrategyName
    /// Which move it is.
    package var id: String
    package var from: PartitionName
    package var to: PartitionName
    /// The database that it leaves.
    package var stream: String
    /// The map of the machine that it leaves, under which it was handed over.
    package var map: PartitionMap
    /// The halt that covered it there; nil where none did.
    package var halt: Halt?

    package init(
        _ strategy: StrategyName, id: String, from: PartitionName, to: PartitionName, stream: String, map: PartitionMap,
        halt: Halt?
    ) {
        self.strategy = strategy
        self.id = id
        self.from = from
        self.to = to
        self.stream = stream
        self.map = map
        self.halt = halt
    }

    /// - Returns: Nil where the text is none of a hand-over.
    package init?(_ text: String) {
        guard let value = try? JSONValue(parsing: Array(text.utf8), depthLimit: 8), value["v"] == 1,
            let strategy = value["strategy_name"]?.string.flatMap({ StrategyName($0) }),
            let id = value["move_id"]?.string, MoveRequest.isID(id),
            let from = value["from"]?.string.flatMap({ PartitionName($0) }),
            let to = value["to"]?.string.flatMap({ PartitionName($0) }), let stream = value["stream"]?.string,
            let map = value["map"].flatMap({ try? PartitionMapFile.read(Array($0.text.utf8)) }),
            let halt = value["halt"]
        else { return nil }
        self.init(
            strategy, id: id, from: from, to: to, stream: stream, map: map,
            halt: halt == .null ? nil : Halt(.strategy(strategy), halt))
    }

    package var text: String {
        let value: JSONValue = [
            "v": 1, "strategy_name": .string(strategy.text), "move_id": .string(id), "from": .string(from.text),
            "to": .string(to.text), "stream": .string(stream), "map": map.json, "halt": halt?.json ?? .null,
        ]
        return value.text
    }
}
