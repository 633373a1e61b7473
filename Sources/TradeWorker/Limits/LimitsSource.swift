package import TradingCore

/// Where the limits come from.
package protocol LimitsSource {
    /// Those in force.
    var limits: TradingLimits { get }
    /// The text that says so, for the record.
    var content: [UInt8] { get }
    /// Looks whether they have changed. Cheap when they have not.
    func look() -> LimitsChange
}

/// What a look for other limits has come to.
package enum LimitsChange: Equatable, Sendable {
    case none
    case changed
    /// They make no sense, so those from before stay in force. Said once.
    case broken(String)
}
