package import StrictJSON

/// Which worker serves which strategy, and where: the same file for all workers and clients.
package struct PartitionMap: Equatable, Sendable {
    /// Where one partition's worker is.
    package struct Place: Equatable, Sendable {
        package var intake: String
        package var outcomes: String
        /// The worker's public key, where its endpoints are guarded.
        package var serverKey: CurveKey?

        package init(intake: String, outcomes: String, serverKey: CurveKey? = nil) {
            self.intake = intake
            self.outcomes = outcomes
            self.serverKey = serverKey
        }
    }

    /// Counts the editions of the map, upwards.
    package var epoch: Int64
    /// Where strategies belong that are not named; nil: nowhere.
    package var defaultPartition: PartitionName?
    package var places: [PartitionName: Place]
    package var strategies: [StrategyName: PartitionName]

    package init(
        epoch: Int64, default defaultPartition: PartitionName? = nil, places: [PartitionName: Place],
        strategies: [StrategyName: PartitionName]
    ) {
        self.epoch = epoch
        self.defaultPartition = defaultPartition
        self.places = places
        self.strategies = strategies
    }

    /// Where a strategy belongs; nil where it belongs nowhere.
    package func partition(of strategy: StrategyName) -> PartitionName? {
        strategies[strategy] ?? defaultPartition
    }

    /// Names that are equal but for their order come in the order of their letters.
    package var partitionNames: [PartitionName] { places.keys.sorted { $0.text < $1.text } }

    /// The strategies that are named for a partition, in the order of their letters.
    package func strategies(of partition: PartitionName) -> [StrategyName] {
        strategies.filter { $0.value == partition }.keys.sorted { $0.text < $1.text }
    }

    /// The map as its file says it, always in the same order.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [.init("v", 1), .init("epoch", .number(String(epoch)))]
        if let defaultPartition { members.append(.init("default", .string(defaultPartition.text))) }
        members.append(
            .init("partitions", .object(partitionNames.map { .init($0.text, places[$0]?.json ?? .null) })))
        members.append(
            .init(
                "strategies",
                .object(
                    strategies.sorted { $0.key.text < $1.key.text }.map { .init($0.key.text, .string($0.value.text)) }
                )))
        return .object(members)
    }

    // MARK: One after another

    /// Why a map does not take the place of the one in force.
    package enum Objection: Equatable, Sendable, CustomStringConvertible {
        case older(Int64, inForce: Int64)
        case sameEpoch(Int64)

        package var description: String {
            switch self {
            case .older(let epoch, let inForce):
                "its epoch \(epoch) is older than \(inForce), which was in force already; give it a higher one"
            case .sameEpoch(let epoch):
                "it says something else under the epoch \(epoch) that was in force already; give it a higher one"
            }
        }
    }

    /// What is to be said against this map as the next one after another; nil where it may take its place.
    package func objection(after last: PartitionMap) -> Objection? {
        if epoch < last.epoch { return .older(epoch, inForce: last.epoch) }
        if epoch == last.epoch, self != last { return .sameEpoch(epoch) }
        return nil
    }
}

extension PartitionMap.Place {
    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("intake", .string(intake)), .init("outcomes", .string(outcomes)),
        ]
        if let serverKey { members.append(.init("server_key", .string(serverKey.text))) }
        return .object(members)
    }
}
