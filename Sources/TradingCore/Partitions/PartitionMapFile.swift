import StrictJSON

/// The file of a partition map: JSON, read strictly, since a typo must not send a strategy to the wrong worker.
package enum PartitionMapFile {
    /// The largest file that is read.
    package static let bytesMax = 1_048_576
    /// The highest epoch: the largest whole number that every JSON reader keeps exactly.
    package static let epochMax: Int64 = 9_007_199_254_740_991

    /// What is wrong with a map, and where in it.
    package struct Problem: Error, Equatable, CustomStringConvertible {
        package let description: String

        init(_ path: String, _ what: String) { description = "\(path) \(what)" }
    }

    /// - Parameter content: The file's bytes.
    package static func read(_ content: [UInt8]) throws(Problem) -> PartitionMap {
        let document: JSONValue
        do {
            document = try JSONValue(parsing: content, depthLimit: 8)
        } catch {
            throw Problem("this", "is no JSON: \(error)")
        }
        let members = try members(document, "this", ["v", "epoch", "default", "partitions", "strategies"])
        guard members["v"] == 1 else { throw Problem("v", "must be 1") }
        guard let epoch = members["epoch"]?.integer, (1...epochMax).contains(epoch) else {
            throw Problem("epoch", "must be a whole number from 1 to \(epochMax), unquoted")
        }
        let places = try places(members["partitions"])
        var map = PartitionMap(epoch: epoch, places: places, strategies: [:])
        if let value = members["default"] { map.defaultPartition = try partition(value, "default", of: places) }
        guard let strategies = members["strategies"]?.members else { throw Problem("strategies", "must be an object") }
        for member in strategies {
            guard let strategy = StrategyName(member.key) else {
                throw Problem("strategies", "has the name \(member.key), which no strategy can have")
            }
            map.strategies[strategy] = try partition(member.value, "strategies.\(member.key)", of: places)
        }
        return map
    }

    private static func places(
        _ value: JSONValue?
    ) throws(Problem) -> [PartitionName: PartitionMap.Place] {
        guard let partitions = value?.members, !partitions.isEmpty else {
            throw Problem("partitions", "must be an object with at least one partition")
        }
        var places: [PartitionName: PartitionMap.Place] = [:]
        var users: [String: String] = [:]
        for member in partitions {
            let path = "partitions.\(member.key)"
            guard let name = PartitionName(member.key) else {
                throw Problem("partitions", "has the name \(member.key); names are 1 to 48 of A-Z a-z 0-9 . _ -")
            }
            let members = try members(member.value, path, ["intake", "outcomes", "server_key"])
            var place = PartitionMap.Place(
                intake: try endpoint(members["intake"], path + ".intake"),
                outcomes: try endpoint(members["outcomes"], path + ".outcomes"))
            if let value = members["server_key"] {
                guard let key = value.string.flatMap(CurveKey.init) else {
                    throw Problem(path + ".server_key", "must be a public key: 40 characters of Z85")
                }
                place.serverKey = key
            }
            for (endpoint, use) in [(place.intake, path + ".intake"), (place.outcomes, path + ".outcomes")] {
                if let other = users.updateValue(use, forKey: endpoint) {
                    throw Problem(use, "is \(endpoint), as is \(other); each endpoint is for one purpose")
                }
            }
            places[name] = place
        }
        return places
    }

    private static func partition(
        _ value: JSONValue, _ path: String, of places: [PartitionName: PartitionMap.Place]
    ) throws(Problem) -> PartitionName {
        guard let name = value.string.flatMap(PartitionName.init), places[name] != nil else {
            throw Problem(path, "must be the name of one of the partitions")
        }
        return name
    }

    /// Where others connect, so it names one machine: not `*`, at which a worker may listen.
    private static func endpoint(_ value: JSONValue?, _ path: String) throws(Problem) -> String {
        guard let text = value?.string, isReachable(text) else {
            throw Problem(path, "must be where clients connect: tcp://HOST:PORT or ipc:///PATH")
        }
        return text
    }

    private static func isReachable(_ text: String) -> Bool {
        guard text.utf8.count <= 200, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return false }
        if text.hasPrefix("ipc:///") { return text.utf8.count > 7 }
        guard text.hasPrefix("tcp://"), let colon = text.lastIndex(of: ":") else { return false }
        let host = text[..<colon].dropFirst(6)
        let port = text[text.index(after: colon)...]
        guard !host.isEmpty, !["*", "0.0.0.0", "[::]", "::"].contains(host), !host.contains("/") else { return false }
        guard port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), port.first != "0" else { return false }
        return Int(port).map { (1...65535).contains($0) } ?? false
    }

    private static func members(
        _ value: JSONValue, _ path: String, _ known: [String]
    ) throws(Problem) -> [String: JSONValue] {
        guard let members = value.members else { throw Problem(path, "must be an object") }
        for member in members where !known.contains(member.key) {
            throw Problem("\(path).\(member.key)", "is not known; there are \(known.joined(separator: ", "))")
        }
        return Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) })
    }
}
