extension TradingLimits {
    /// What is limited, a line for each scope that limits anything: the limits by their names in the file.
    package var lines: [String] {
        var lines: [String] = []
        func add(_ scope: String, _ limits: OrderLimits) {
            let words = limits.words
            if !words.isEmpty { lines.append("\(scope): \(words.joined(separator: ", "))") }
        }
        add("all strategies together", all)
        add("each strategy", each)
        for name in strategies.keys.sorted(by: { $0.text < $1.text }) {
            add("strategy \(name)", limits(of: name))
        }
        if !referencePrices.isEmpty { lines.append("\(referencePrices.count) reference prices") }
        if unpriced == .allow { lines.append("orders that nothing prices pass the limits of money") }
        return lines
    }
}

extension OrderLimits {
    fileprivate var words: [String] {
        var words: [String] = []
        if let symbolsForbidden { words.append("symbols_forbidden \(symbolsForbidden.count)") }
        if let symbols { words.append("symbols \(symbols.count)") }
        if let sides { words.append("sides \(sides.map(\.rawValue).sorted().joined(separator: " and "))") }
        if let orderQuantityMax { words.append("order_quantity_max \(orderQuantityMax)") }
        if let orderNotionalMax { words.append("order_notional_max \(orderNotionalMax)") }
        if let duplicateWindow { words.append("duplicate_window_s \(duplicateWindow.count / 1_000_000)") }
        if let ordersPerMinute { words.append("orders_per_minute \(ordersPerMinute)") }
        if let ordersPerDay { words.append("orders_per_day \(ordersPerDay)") }
        if let notionalPerDay { words.append("notional_per_day \(notionalPerDay)") }
        if marketHoursOnly == true { words.append("market_hours_only") }
        if reduceOnly == true { words.append("reduce_only") }
        return words
    }
}
