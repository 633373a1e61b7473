import HostSystem
import StrictJSON
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

/// The partitions of a partition map: the part of it that a monitor needs.
enum PartitionMapReading {
    private static let bytesMax = 1 << 20

    /// Reads the map now, and again whenever it changes. One with a lower epoch than before is taken for broken.
    static func watch(_ path: String) throws(WatchedFileProblem) -> WatchedFile<[WatchedPartition]> {
        var epochInForce: Int64 = 0
        return try WatchedFile(path, bytesMax: bytesMax) { content throws(WatchedFileProblem) in
            let (partitions, epoch) = try partitions(of: content, path)
            guard epoch >= epochInForce else {
                throw WatchedFileProblem(
                    "\(path): its epoch \(epoch) is older than \(epochInForce), which was in force already")
            }
            epochInForce = epoch
            return partitions
        }
    }

    private static func partitions(
        of content: [UInt8], _ path: String
    ) throws(WatchedFileProblem) -> (partitions: [WatchedPartition], epoch: Int64) {
        let map: JSONValue
        do throws(JSONError) {
            map = try JSONValue(parsing: content)
        } catch {
            throw WatchedFileProblem("\(path) is no partition map: \(error)")
        }
        guard map["v"]?.integer == 1, let epoch = map["epoch"]?.integer, let members = map["partitions"]?.members,
            !members.isEmpty
        else {
            throw WatchedFileProblem(
                "\(path) is no partition map: it needs \"v\":1, an epoch, and partitions with one or more")
        }
        var partitions: [WatchedPartition] = []
        for member in members {
            guard let name = PartitionName(member.key), let outcomes = member.value["outcomes"]?.string,
                let intake = member.value["intake"]?.string
            else {
                throw WatchedFileProblem("\(path): the partition \(member.key) needs outcomes and intake")
            }
            let key = member.value["server_key"]?.string
            guard key.map({ CurveKey($0) != nil }) ?? true else {
                throw WatchedFileProblem("\(path): the server_key of \(member.key) is not 40 characters of Z85")
            }
            partitions.append(
                WatchedPartition(name: name.text, outcomes: outcomes, intake: intake, serverKey: key))
        }
        return (partitions, epoch)
    }
}
