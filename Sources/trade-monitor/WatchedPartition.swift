import HostSystem
import TradingCore

/// Where a partition's worker is, and how it is spoken to.
struct WatchedPartition: Equatable, Sendable {
    let name: String
    let outcomes: String
    let intake: String
    /// The worker's public key in Z85; nil where all share one, or there is none.
    var serverKey: String?

    /// Reads `NAME=OUTCOMES,INTAKE`. Nil for anything else.
    init?(argument: String) {
        let halves = argument.split(separator: "=", maxSplits: 1)
        guard halves.count == 2, let name = PartitionName(String(halves[0])) else { return nil }
        let endpoints = halves[1].split(separator: ",", omittingEmptySubsequences: false)
        guard endpoints.count == 2, endpoints.allSatisfy({ $0.contains("://") }) else { return nil }
        self.name = name.text
        outcomes = String(endpoints[0])
        intake = String(endpoints[1])
    }

    init(name: String, outcomes: String, intake: String, serverKey: String?) {
        self.name = name
        self.outcomes = outcomes
        self.intake = intake
        self.serverKey = serverKey
    }
}

/// The partitions of a partition map.
enum PartitionMapReading {
    /// Reads the map now, and again whenever it changes. One that does not follow the one in force is taken for broken.
    static func watch(_ path: String) throws(WatchedFileProblem) -> WatchedFile<PartitionMap> {
        var inForce: PartitionMap?
        return try WatchedFile(path, bytesMax: PartitionMapFile.bytesMax) { content throws(WatchedFileProblem) in
            let map: PartitionMap
            do throws(PartitionMapFile.Problem) {
                map = try PartitionMapFile.read(content)
            } catch {
                throw WatchedFileProblem("\(path): \(error)")
            }
            if let objection = inForce.flatMap({ map.objection(after: $0) }) {
                throw WatchedFileProblem("\(path): \(objection)")
            }
            inForce = map
            return map
        }
    }
}

extension PartitionMap {
    var watched: [WatchedPartition] {
        partitionNames.compactMap { name in
            places[name].map {
                WatchedPartition(
                    name: name.text, outcomes: $0.outcomes, intake: $0.intake, serverKey: $0.serverKey?.text)
            }
        }
    }
}
