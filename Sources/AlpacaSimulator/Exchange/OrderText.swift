import StrictJSON
import TradingCore

/// Writes orders as Alpaca's answers show them: keys in alphabetical order, amounts as strings without trailing
/// zeros, times as `Timestamp.brokerText` (recorded answers of 2026-10).
struct OrderText {
    let order: Order
    /// The legs to nest; nil writes `null`.
    let legs: [Order]?

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writeFirstHalf(to: &writer)
            writeSecondHalf(to: &writer)
        }
    }

    private func writeFirstHalf(to writer: inout JSONWriter) {
        let isParentOfLegs = order.asset == nil
        writer.member("asset_class", isParentOfLegs ? "" : order.asset?.assetClass.rawValue)
        writer.member("asset_id", isParentOfLegs ? "" : order.asset?.id)
        writer.member("canceled_at", order.canceledAt?.brokerText)
        writer.member("client_order_id", order.clientOrderID)
        writer.member("created_at", order.createdAt.brokerText)
        writer.member("expired_at", order.expiredAt?.brokerText)
        if let expiresAt = order.expiresAt { writer.member("expires_at", expiresAt.brokerText) }
        writer.member("extended_hours", order.extendedHours)
        writer.member("failed_at", order.failedAt?.brokerText)
        writer.member("filled_at", order.filledAt?.brokerText)
        writer.member("filled_avg_price", order.filledAveragePrice?.text)
        writer.member("filled_qty", order.filledQuantity.text)
        writer.member("hwm", order.highWaterMark?.text)
        writer.member("id", order.id)
        writer.key("legs")
        if let legs, !legs.isEmpty {
            writer.array { writer in
                for leg in legs { OrderText(order: leg, legs: nil).write(to: &writer) }
            }
        } else {
            writer.null()
        }
        writer.member("limit_price", order.limitPrice?.text)
        writer.member("notional", order.notional?.text)
    }

    private func writeSecondHalf(to writer: inout JSONWriter) {
        // The legs of several have no type of their own; simple orders of options name their class, others do not.
        let type = order.ratio == nil ? order.type.rawValue : ""
        writer.member("order_class", orderClass)
        writer.member("order_type", type)
        if let intent = order.intent { writer.member("position_intent", intent.rawValue) }
        writer.member("qty", order.quantity?.text)
        if let ratio = order.ratio { writer.member("ratio_qty", ratio.text) }
        writer.member("replaced_at", order.replacedAt?.brokerText)
        writer.member("replaced_by", order.replacedBy)
        writer.member("replaces", order.replaces)
        writer.member("side", order.side?.rawValue ?? "")
        writer.member("source", nil as String?)
        writer.member("status", order.status.text)
        writer.member("stop_price", order.stopPrice?.text)
        writer.member("submitted_at", order.submittedAt.brokerText)
        writer.member("subtag", nil as String?)
        writer.member("symbol", order.symbol)
        writer.member("time_in_force", order.timeInForce.rawValue)
        writer.member("trail_percent", order.trailPercent?.text)
        writer.member("trail_price", order.trailPrice?.text)
        writer.member("type", type)
        writer.member("updated_at", order.updatedAt.brokerText)
    }

    private var orderClass: String {
        guard order.orderClass == .simple else { return order.orderClass.rawValue }
        return order.asset?.assetClass == .option ? "simple" : ""
    }
}
