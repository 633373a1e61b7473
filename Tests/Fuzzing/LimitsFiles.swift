import StrictJSON
import TradingCore

/// A limits file: what its text limits is limited, no more loosely than it says, and a member that is not known makes it
/// no limits file.
func checkLimitsFile(_ bytes: [UInt8]) throws {
    let limits: TradingLimits
    do {
        limits = try LimitsFile.read(bytes)
    } catch {
        try expect(!error.description.isEmpty, "a problem says what it is")
        return
    }
    guard let json = tree(bytes), let members = json.members else {
        throw BrokenProperty(description: "what is taken is a JSON object")
    }
    let known: Set = ["v", "all", "each", "strategies", "reference_prices", "unpriced"]
    try expect(members.allSatisfy { known.contains($0.key) }, "no member is passed over")
    try expect(json["unpriced"]?.string == "allow" || limits.unpriced == .refuse, "orders without a price are refused")
    try check(limits.all, json["all"])
    try check(limits.each, json["each"])
    let strategies = json["strategies"]?.members ?? []
    try expect(strategies.count == limits.strategies.count, "every strategy's limits are kept")
    for member in strategies {
        guard let strategy = StrategyName(member.key), let own = limits.strategies[strategy] else {
            throw BrokenProperty(description: "the limits of \(member.key) are kept")
        }
        try check(own, member.value)
        try checkOverlay(limits.limits(of: strategy), own, limits.each)
    }
    for member in json["reference_prices"]?.members ?? [] {
        guard let symbol = Symbol(member.key), let price = limits.referencePrices[SymbolKey(symbol)] else {
            throw BrokenProperty(description: "the price of \(member.key) is kept")
        }
        try expect(isSameText(price.value.text, member.value.string), "a price is taken as it is written")
        try expect(price.value.isPositive, "a price is greater than zero")
    }
    try checkOrders(limits)
}

/// The limits of one scope, member by member.
private func check(_ limits: OrderLimits, _ json: JSONValue?) throws {
    guard let json else { return try expect(limits == OrderLimits(), "what is not there limits nothing") }
    var taken = 0
    func amount(_ key: String, _ value: ExactDecimal?) throws {
        try expect(isSameText(value?.text, json[key]?.string), "\(key) is taken as it is written")
        if value != nil { taken += 1 }
    }
    func integer(_ key: String, _ value: Int64?) throws {
        try expect(value == json[key]?.integer && value ?? 0 >= 0, "\(key) is taken as it is written")
        if value != nil { taken += 1 }
    }
    func flag(_ key: String, _ value: Bool?) throws {
        try expect(value == json[key]?.bool, "\(key) is taken as it is written")
        if value != nil { taken += 1 }
    }
    func list(_ key: String, _ values: Set<String>?, _ fold: (String) -> String) throws {
        let texts = json[key]?.array.map { Set($0.compactMap { $0.string.map(fold) }) }
        try expect(values == texts, "\(key) holds what is written, and nothing else")
        if values != nil { taken += 1 }
    }
    // Only a pair of crypto is the same without its slash.
    func symbol(_ text: String) -> String {
        let capital = text.uppercased()
        let quoteAfterSlash = ["/USD", "/USDT", "/USDC", "/BTC"].contains { capital.hasSuffix($0) }
        let isPair = quoteAfterSlash && !capital.hasPrefix("/") && capital.count { $0 == "/" } == 1
        return isPair ? capital.filter { $0 != "/" } : capital
    }
    try amount("order_quantity_max", limits.orderQuantityMax)
    try amount("order_notional_max", limits.orderNotionalMax)
    try amount("notional_per_day", limits.notionalPerDay)
    try integer("orders_per_minute", limits.ordersPerMinute.map(Int64.init))
    try integer("orders_per_day", limits.ordersPerDay.map(Int64.init))
    try integer("duplicate_window_s", limits.duplicateWindow.map { $0.count / 1_000_000 })
    try flag("reduce_only", limits.reduceOnly)
    try flag("market_hours_only", limits.marketHoursOnly)
    try list("symbols", limits.symbols.map { Set($0.map(\.text)) }, symbol)
    try list("symbols_forbidden", limits.symbolsForbidden.map { Set($0.map(\.text)) }, symbol)
    try list("sides", limits.sides.map { Set($0.map(\.rawValue)) }) { $0 }
    try expect(taken == json.members?.count, "no limit is passed over")
}

/// What a strategy does not say of itself is as for each.
private func checkOverlay(_ together: OrderLimits, _ own: OrderLimits, _ each: OrderLimits) throws {
    try expect(
        together.orderQuantityMax == own.orderQuantityMax ?? each.orderQuantityMax
            && together.orderNotionalMax == own.orderNotionalMax ?? each.orderNotionalMax
            && together.notionalPerDay == own.notionalPerDay ?? each.notionalPerDay
            && together.ordersPerMinute == own.ordersPerMinute ?? each.ordersPerMinute
            && together.ordersPerDay == own.ordersPerDay ?? each.ordersPerDay
            && together.duplicateWindow == own.duplicateWindow ?? each.duplicateWindow
            && together.reduceOnly == own.reduceOnly ?? each.reduceOnly
            && together.marketHoursOnly == own.marketHoursOnly ?? each.marketHoursOnly
            && together.symbols == own.symbols ?? each.symbols
            && together.symbolsForbidden == own.symbolsForbidden ?? each.symbolsForbidden
            && together.sides == own.sides ?? each.sides, "a strategy's limits stand over those of each")
}

/// No order passes that is more than the limits of all allow.
private func checkOrders(_ limits: TradingLimits) throws {
    let now = MonotonicTime(microseconds: 1_000_000_000_000)
    guard let id = DecisionID("d"), let strategy = StrategyName("s"), let symbol = Symbol("AAPL") else { return }
    for (quantity, price) in [("1", "1"), ("0.000000001", "250"), ("9999999999999999999", "9999999999999999999")] {
        guard let quantity = ExactDecimal(quantity).flatMap(Quantity.init), let price = ExactDecimal(price) else {
            return
        }
        let order = OrderTerms(
            symbol: symbol, side: .buy, amount: .quantity(quantity), type: .limit, limitPrice: Price(price))
        let decision = Decision(id: id, strategy: strategy, order: order)
        var counters = SendCounters(day: 0, limits: limits)
        counters.count(decision, at: now)
        let verdict = LimitCheck(
            decision, limits: limits, counters: counters, marketHours: .unavailable, position: .unavailable, at: now
        ).verdict
        guard verdict == .allowed else { continue }
        for scope in [limits.all, limits.limits(of: strategy)] {
            try expect(scope.orderQuantityMax.map { quantity.value <= $0 } ?? true, "a quantity is limited")
            let cost = quantity.value.multiplied(by: price)
            for most in [scope.orderNotionalMax, scope.notionalPerDay].compactMap({ $0 }) {
                try expect(cost.map { $0 <= most } ?? false, "money is limited")
            }
            try expect(scope.ordersPerDay ?? 2 > 1 && scope.ordersPerMinute ?? 2 > 1, "orders are limited")
            try expect(scope.duplicateWindow ?? .zero == .zero, "what was just sent is not sent again")
            try expect(scope.sides?.contains(.buy) ?? true, "sides are limited")
            try expect(scope.symbols?.contains(SymbolKey(symbol)) ?? true, "symbols are limited")
            try expect(scope.symbolsForbidden?.contains(SymbolKey(symbol)) != true, "symbols are forbidden")
            try expect(scope.reduceOnly != true && scope.marketHoursOnly != true, "what cannot be judged is refused")
        }
    }
}
