package import TradingCore

/// Where the partition map comes from.
package protocol PartitionMapSource {
    /// The map that was read last.
    var map: PartitionMap { get }
    /// Looks whether there is another one. Cheap when there is not.
    func look() -> PartitionMapChange
}

/// What a look for another partition map has come to.
package enum PartitionMapChange: Equatable, Sendable {
    case none
    case changed
    /// It makes no sense. Said once.
    case broken(String)
}
