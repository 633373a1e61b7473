import StrictJSON
import TradingCore

/// A partition map: every strategy that its text names belongs to the partition that it says and to no other, and what
/// is not known makes it no map.
func checkPartitionMap(_ bytes: [UInt8]) throws {
    let map: PartitionMap
    do {
        map = try PartitionMapFile.read(bytes)
    } catch {
        try expect(!error.description.isEmpty, "a problem says what it is")
        return
    }
    guard let json = tree(bytes), let members = json.members else {
        throw BrokenProperty(description: "what is taken is a JSON object")
    }
    let known: Set = ["v", "epoch", "default", "partitions", "strategies"]
    try expect(members.allSatisfy { known.contains($0.key) }, "no member is passed over")
    try expect(json["epoch"]?.integer == map.epoch && map.epoch > 0, "the epoch is taken as it is written")
    try expect(json["default"]?.string == map.defaultPartition?.text, "the default is taken as it is written")
    let partitions = json["partitions"]?.members ?? []
    try expect(partitions.count == map.places.count, "every partition is kept")
    var endpoints: Set<String> = []
    for member in partitions {
        guard let name = PartitionName(member.key), let place = map.places[name] else {
            throw BrokenProperty(description: "the partition \(member.key) is kept")
        }
        try expect(member.value["intake"]?.string == place.intake, "an intake is taken as it is written")
        try expect(member.value["outcomes"]?.string == place.outcomes, "outcomes are taken as they are written")
        try expect(member.value["server_key"]?.string == place.serverKey?.text, "a key is taken as it is written")
        try expect(
            endpoints.insert(place.intake).inserted && endpoints.insert(place.outcomes).inserted,
            "no endpoint is there twice")
    }
    let strategies = json["strategies"]?.members ?? []
    try expect(strategies.count == map.strategies.count, "every strategy is kept")
    for member in strategies {
        guard let strategy = StrategyName(member.key), let partition = map.partition(of: strategy) else {
            throw BrokenProperty(description: "the strategy \(member.key) is kept")
        }
        try expect(partition.text == member.value.string, "a strategy is where the map says")
        try expect(map.places[partition] != nil, "a strategy is where somebody serves it")
    }
    try expect(map.defaultPartition.map { map.places[$0] != nil } ?? true, "the default is where somebody serves it")

    // What is kept of a map, and what a program writes, says the same.
    let again = try? PartitionMapFile.read(Array(map.json.text.utf8))
    try expect(again == map, "a map is read as it was written")
    try expect(map.objection(after: map) == nil, "a map follows itself")
    var other = map
    other.defaultPartition = map.defaultPartition == nil ? map.partitionNames.first : nil
    try expect(other.objection(after: map) != nil && map.objection(after: other) != nil, "no epoch says two things")
    other.epoch += 1
    try expect(other.objection(after: map) == nil && map.objection(after: other) != nil, "a map has one direction")
}
