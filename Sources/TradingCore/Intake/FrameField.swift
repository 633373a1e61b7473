import StrictJSON

/// Every member that an intake message may have.
enum FrameField: UInt32 {
    case v
    case type
    case decisionID
    case strategyName
    case symbol
    case side
    case quantity
    case notional
    case orderType
    case timeInForce
    case limitPrice
    case stopPrice
    case trailPrice
    case trailPercent
    case extendedHours
    case positionIntent
    case orderClass
    case takeProfit
    case stopLoss
    case legs
    case expiresAt
    case validForMilliseconds
    case sequence
    case rationale
    case after
    case limit

    /// The member's key on the wire.
    var name: String { FrameField.names[Int(rawValue)].description }

    init?(_ key: JSONToken) {
        guard let index = FrameField.keys.index(of: key) else { return nil }
        self.init(rawValue: UInt32(index))
    }

    private static let keys = KnownKeys(names)

    /// The keys in the order of the cases.
    private static let names: [StaticString] = [
        "v", "type", "decision_id", "strategy_name", "symbol", "side", "quantity", "notional", "order_type",
        "time_in_force", "limit_price", "stop_price", "trail_price", "trail_percent", "extended_hours",
        "position_intent", "order_class", "take_profit", "stop_loss", "legs", "expires_at", "valid_for_ms", "sequence",
        "rationale", "after", "limit",
    ]
}

/// A set of fields, as bits.
struct FrameFieldSet: OptionSet {
    let rawValue: UInt32

    init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ fields: FrameField...) {
        self = fields.reduce(into: []) { $0.insert($1) }
    }

    mutating func insert(_ field: FrameField) { formUnion(FrameFieldSet(rawValue: 1 << field.rawValue)) }
    func contains(_ field: FrameField) -> Bool { rawValue & (1 << field.rawValue) != 0 }

    /// The field of the set that comes first, if any.
    var first: FrameField? { isEmpty ? nil : FrameField(rawValue: UInt32(rawValue.trailingZeroBitCount)) }
}
