import StrictJSON

/// An order as the broker answers it, in the form and size of Alpaca's own answers (some 1.4 kB).
struct BenchmarkOrder {
    var id: String
    var clientOrderID: String
    var symbol: String
    var side: String
    var quantity: String
    /// The broker's word: `filled`, `accepted` and so on.
    var status: String
    /// RFC 3339.
    var time: String

    var json: [UInt8] {
        let isFilled = status == "filled"
        var writer = JSONWriter(reserving: 1536)
        writer.object { writer in
            writer.member("id", id)
            writer.member("client_order_id", clientOrderID)
            writer.member("created_at", time)
            writer.member("updated_at", time)
            writer.member("submitted_at", time)
            writer.member("filled_at", isFilled ? time : nil)
            for key: StaticString in ["expired_at", "canceled_at", "failed_at", "replaced_at", "replaced_by"] {
                writer.member(key, nil as String?)
            }
            writer.member("replaces", nil as String?)
            writer.member("asset_id", "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415")
            writer.member("symbol", symbol)
            writer.member("asset_class", "us_equity")
            writer.member("notional", nil as String?)
            writer.member("qty", quantity)
            writer.member("filled_qty", isFilled ? quantity : "0")
            writer.member("filled_avg_price", isFilled ? "150.25" : nil)
            writer.member("order_class", "")
            writer.member("order_type", "market")
            writer.member("type", "market")
            writer.member("side", side)
            writer.member("position_intent", side == "buy" ? "buy_to_open" : "sell_to_close")
            writer.member("time_in_force", "day")
            for key: StaticString in ["limit_price", "stop_price", "legs", "trail_percent", "trail_price", "hwm"] {
                writer.member(key, nil as String?)
            }
            writer.member("status", status)
            writer.member("extended_hours", false)
            writer.member("subtag", nil as String?)
            writer.member("source", nil as String?)
            writer.member("expires_at", time)
            // The broker's answers vary in length with what is set; this makes up for what is null here.
            writer.member("ratio_qty", nil as String?)
            writer.member("filler", BenchmarkOrder.filler)
        }
        return writer.bytes
    }

    private static let filler = String(repeating: "-", count: 500)
}
