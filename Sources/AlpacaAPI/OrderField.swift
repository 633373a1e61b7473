import StrictJSON

/// What is read of an order. Source: Alpaca, "Orders", the order entity.
enum OrderField: Int {
    case id
    case clientOrderID
    case status
    case symbol
    case side
    case quantity
    case notional
    case filledQuantity
    case filledAveragePrice
    case commission
    case submittedAt
    case updatedAt
    case filledAt
    case failedAt
    case replacedBy
    case legs

    init?(_ key: JSONToken) {
        guard let index = OrderField.keys.index(of: key) else { return nil }
        self.init(rawValue: index)
    }

    /// One bit for each field.
    var bit: UInt64 { 1 << rawValue }

    /// The keys in the order of the cases.
    private static let keys = KnownKeys([
        "id", "client_order_id", "status", "symbol", "side", "qty", "notional", "filled_qty", "filled_avg_price",
        "commission", "submitted_at", "updated_at", "filled_at", "failed_at", "replaced_by", "legs",
    ])
}
