/// What an order may cost, in dollars.
package enum OrderNotional: Equatable, Sendable {
    case dollars(ExactDecimal)
    /// More digits than are computed with, so more than any limit.
    case beyondCounting
    /// Nothing says so.
    case unpriced

    /// - Parameter referencePrices: What is taken for the price where the order states none, or states only the least it may be.
    package init(of order: OrderTerms, referencePrices: [SymbolKey: Price]) {
        switch order.amount {
        case .notional(let notional): self = .dollars(notional.value)
        case .quantity(let quantity):
            let reference = order.symbol.flatMap { referencePrices[SymbolKey($0)] }
            guard let price = OrderNotional.price(of: order, reference: reference) else {
                self = .unpriced
                return
            }
            let multiplier: ExactDecimal = order.symbol?.isOption == true ? ExactDecimal(100) : ExactDecimal(1)
            guard let product = quantity.value.multiplied(by: price)?.multiplied(by: multiplier) else {
                self = .beyondCounting
                return
            }
            self = .dollars(product)
        }
    }

    /// The most that one share, coin or option is expected to change hands for; nil where nothing says so.
    private static func price(of order: OrderTerms, reference: Price?) -> ExactDecimal? {
        // The price of several legs is their difference, which says nothing of what each costs.
        guard order.orderClass != .multiLeg else { return nil }
        switch order.type {
        case .market, .trailingStop: return reference?.value
        case .limit, .stop, .stopLimit:
            var prices = [order.limitPrice, order.stopPrice]
            if order.orderClass == .oneCancelsOther {
                prices += [order.takeProfit?.limitPrice, order.stopLoss?.stopPrice]
            }
            // What is sold with a limit, or bought at a stop, is traded at that price or a higher one.
            let isLeast = order.side == .sell ? order.type == .limit : order.type == .stop
            if isLeast {
                guard let reference else { return nil }
                prices.append(reference)
            }
            return prices.compactMap { $0?.value }.max()
        }
    }
}

extension Symbol {
    /// Whether it names an option, each contract of which stands for 100 shares: root, `YYMMDD`, `C` or `P`, strike.
    package var isOption: Bool {
        let bytes = Array(text.utf8)
        func areDigits(_ bytes: some Sequence<UInt8>) -> Bool {
            bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
        guard bytes.count > 15, areDigits(bytes.suffix(8)), areDigits(bytes.suffix(15).prefix(6)) else { return false }
        let kind = bytes[bytes.count - 9] | 0x20
        return kind == UInt8(ascii: "c") || kind == UInt8(ascii: "p")
    }

    /// Whether it is a pair of currencies, traded at all hours: one slash, and after it what crypto is quoted in
    /// (source: Alpaca, "Crypto Spot Trading").
    package var isCryptoPair: Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return false }
        return ["USD", "USDT", "USDC", "BTC"].contains(parts[1].uppercased())
    }
}
