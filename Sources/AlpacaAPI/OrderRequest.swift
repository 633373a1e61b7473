import StrictJSON
package import TradingCore

/// The body of `POST /v2/orders`. Amounts and prices are strings with the very digits of the decision.
/// Source: Alpaca, "Create an Order".
package enum OrderRequest {
    package static let path = "/v2/orders"

    package static func body(for decision: Decision) -> [UInt8] {
        let order = decision.order
        var writer = JSONWriter(reserving: 384)
        writer.object { writer in
            if let symbol = order.symbol { writer.member("symbol", symbol.text) }
            switch order.amount {
            case .quantity(let quantity): writer.member("qty", quantity.value.text)
            case .notional(let notional): writer.member("notional", notional.value.text)
            }
            if let side = order.side { writer.member("side", side.rawValue) }
            writer.member("type", order.type.rawValue)
            writer.member("time_in_force", order.timeInForce.rawValue)
            if let price = order.limitPrice { writer.member("limit_price", price.value.text) }
            if let price = order.stopPrice { writer.member("stop_price", price.value.text) }
            if let price = order.trailPrice { writer.member("trail_price", price.value.text) }
            if let percent = order.trailPercent { writer.member("trail_percent", percent.value.text) }
            if let extended = order.extendedHours { writer.member("extended_hours", extended) }
            if let intent = order.positionIntent { writer.member("position_intent", intent.rawValue) }
            if let orderClass = order.orderClass { writer.member("order_class", orderClass.rawValue) }
            if let takeProfit = order.takeProfit {
                writer.key("take_profit")
                writer.object { $0.member("limit_price", takeProfit.limitPrice.value.text) }
            }
            if let stopLoss = order.stopLoss {
                writer.key("stop_loss")
                writer.object { writer in
                    writer.member("stop_price", stopLoss.stopPrice.value.text)
                    if let price = stopLoss.limitPrice { writer.member("limit_price", price.value.text) }
                }
            }
            if !order.legs.isEmpty {
                writer.key("legs")
                writer.array { writer in
                    for leg in order.legs { write(leg, to: &writer) }
                }
            }
            writer.member("client_order_id", decision.clientOrderID.text)
        }
        return writer.bytes
    }

    private static func write(_ leg: Leg, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("symbol", leg.symbol.text)
            writer.member("ratio_qty", leg.ratioQuantity.value.text)
            if let side = leg.side { writer.member("side", side.rawValue) }
            if let intent = leg.positionIntent { writer.member("position_intent", intent.rawValue) }
        }
    }
}
