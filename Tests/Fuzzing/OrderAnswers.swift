import AlpacaAPI
import StrictJSON
import TradingCore

/// The broker's answer about one order or about many: what is read is what it says, and no fill is overlooked.
func checkOrderAnswer(_ bytes: [UInt8]) throws {
    let order = OrderAnswer.order(bytes)
    try expect(OrderAnswer.order(bytes) == order, "the same answer means the same")
    if let order {
        guard let json = tree(bytes) else { throw BrokenProperty(description: "what is read is strict JSON") }
        try check(order, json)
    }

    guard let listing = OrderAnswer.listing(bytes) else {
        try expect(tree(bytes)?.array == nil, "a listing is read, whatever its elements are")
        return
    }
    try expect(order == nil, "a listing is no order")
    guard let elements = tree(bytes)?.array else { throw BrokenProperty(description: "a listing is a JSON array") }
    try expect(listing.count <= elements.count, "a listing has no more orders than elements")
    for (order, ownBytes) in listing {
        try expect(OrderAnswer.order(ownBytes) == order, "an order's own part of a listing shows the same order")
        guard let json = tree(ownBytes) else { throw BrokenProperty(description: "a part is strict JSON") }
        try expect(elements.contains { isSame($0, json) }, "a part stands in the listing")
        try check(order, json)
    }
}

private func check(_ order: BrokerOrder, _ json: JSONValue) throws {
    try expect(!order.id.isEmpty && isSameText(order.id, json["id"]?.string), "an order has the id that is shown")
    try expect(isSameText(order.clientOrderID, json["client_order_id"]?.string ?? ""), "and the client order id")
    try expect(!order.status.text.isEmpty && isSameText(order.status.text, json["status"]?.string), "and the status")
    for (key, value) in [
        ("qty", order.quantity), ("notional", order.notional), ("filled_qty", order.filledQuantity),
        ("filled_avg_price", order.filledAveragePrice), ("commission", order.commission),
    ] {
        let text = json[key]?.amountText
        let isReadable = text.map { ExactDecimal($0) != nil } ?? false
        try expect(isSameText(value?.text, isReadable ? text : nil), "\(key) is kept to the digit")
    }
    try checkFill(json)
    try expect(isSameText(order.replacedBy ?? "", json["replaced_by"]?.string ?? ""), "a successor is kept")
    for time in [order.submittedAt, order.updatedAt, order.filledAt, order.failedAt] {
        if let time { try checkStorable(time) }
    }
    var legs = order.legs[...]
    for shown in json["legs"]?.array ?? [] {
        guard let leg = legs.first, isSameText(leg.id, shown["id"]?.string),
            isSameText(leg.status.text, shown["status"]?.string)
        else {
            try expect(shown.members == nil || !mayBeFilled(shown), "a leg that is left out has filled nothing")
            continue
        }
        try check(leg, shown)
        legs.removeFirst()
    }
    try expect(legs.isEmpty, "every leg is shown")
}

/// What an order that is read says of its fill is a number that we can count with.
private func checkFill(_ order: JSONValue) throws {
    guard let shown = order.present("filled_qty") else { return }
    let filled = shown.amountText.flatMap { ExactDecimal($0) }
    try expect(
        filled.map { .zero <= $0 && $0 <= ExactDecimal(1_000_000_000_000_000) } ?? false,
        "an order whose fill cannot be read is not read")
}

/// Whether an order shows a fill, or something in the place of one that cannot be read.
func mayBeFilled(_ order: JSONValue) -> Bool {
    guard let shown = order.present("filled_qty") else { return false }
    guard let filled = shown.amountText.flatMap({ ExactDecimal($0) }) else { return true }
    return !filled.isZero
}
