import StrictJSON

/// A limits file: JSON, read strictly, since a typo must not lift a limit.
package enum LimitsFile {
    /// The largest file that is read.
    package static let bytesMax = 1_048_576
    /// The most symbols of one list, and the most reference prices.
    package static let listMax = 20_000
    /// The longest window against duplicates, in seconds: a day.
    package static let duplicateWindowMax: Int64 = 86_400

    /// What is wrong with a limits file, and where in it.
    package struct Problem: Error, Equatable, CustomStringConvertible {
        package let description: String

        init(_ path: String, _ what: String) { description = "\(path) \(what)" }
        init(_ description: String) { self.description = description }
    }

    /// - Parameter content: The file's bytes.
    package static func read(_ content: [UInt8]) throws(Problem) -> TradingLimits {
        let document: JSONValue
        do {
            document = try JSONValue(parsing: content, depthLimit: 8)
        } catch {
            throw Problem("this is no JSON: \(error)")
        }
        guard document.members != nil else { throw Problem("this is no JSON object") }
        guard document["v"] == 1 else { throw Problem("v", "must be 1") }
        var limits = TradingLimits()
        for member in document.members ?? [] {
            switch member.key {
            case "v": break
            case "all": limits.all = try orderLimits(member.value, "all")
            case "each": limits.each = try orderLimits(member.value, "each")
            case "strategies":
                for (name, value) in try members(member.value, "strategies") {
                    guard let strategy = StrategyName(name) else {
                        throw Problem("strategies", "has the name \(name), which no strategy can have")
                    }
                    limits.strategies[strategy] = try orderLimits(value, "strategies.\(name)")
                }
            case "reference_prices": limits.referencePrices = try prices(member.value, "reference_prices")
            case "unpriced": limits.unpriced = try word(member.value, "unpriced")
            default: throw Problem(member.key, "is no member of a limits file")
            }
        }
        return limits
    }

    private static func orderLimits(_ value: JSONValue, _ path: String) throws(Problem) -> OrderLimits {
        var limits = OrderLimits()
        for (name, value) in try members(value, path) {
            let path = "\(path).\(name)"
            switch name {
            case "order_quantity_max": limits.orderQuantityMax = try amount(value, path)
            case "order_notional_max": limits.orderNotionalMax = try amount(value, path)
            case "orders_per_minute": limits.ordersPerMinute = Int(try integer(value, path, 0...1_000_000))
            case "orders_per_day": limits.ordersPerDay = Int(try integer(value, path, 0...1_000_000_000))
            case "notional_per_day": limits.notionalPerDay = try amount(value, path)
            case "symbols": limits.symbols = Set(try list(value, path, symbol))
            case "symbols_forbidden": limits.symbolsForbidden = Set(try list(value, path, symbol))
            case "sides": limits.sides = Set(try list(value, path, word))
            case "duplicate_window_s":
                limits.duplicateWindow = .seconds(try integer(value, path, 0...duplicateWindowMax))
            case "reduce_only": limits.reduceOnly = try flag(value, path)
            case "market_hours_only": limits.marketHoursOnly = try flag(value, path)
            default: throw Problem(path, "is no limit")
            }
        }
        return limits
    }

    // MARK: Values

    private static func members(_ value: JSONValue, _ path: String) throws(Problem) -> [(String, JSONValue)] {
        guard let members = value.members else { throw Problem(path, "must be an object") }
        return members.map { ($0.key, $0.value) }
    }

    private static func amount(_ value: JSONValue, _ path: String) throws(Problem) -> ExactDecimal {
        guard let amount = value.string.flatMap({ ExactDecimal($0) }), amount.isPositive || amount.isZero else {
            throw Problem(path, "must be a decimal number in quotes, not below zero, such as \"250.50\"")
        }
        return amount
    }

    private static func integer(
        _ value: JSONValue, _ path: String, _ range: ClosedRange<Int64>
    ) throws(Problem) -> Int64 {
        guard let number = value.integer, range.contains(number) else {
            throw Problem(path, "must be a whole number from \(range.lowerBound) to \(range.upperBound), unquoted")
        }
        return number
    }

    private static func flag(_ value: JSONValue, _ path: String) throws(Problem) -> Bool {
        guard let flag = value.bool else { throw Problem(path, "must be true or false") }
        return flag
    }

    private static func word<Word: RawRepresentable<String> & CaseIterable>(
        _ value: JSONValue, _ path: String
    ) throws(Problem) -> Word {
        guard let word = value.string.flatMap(Word.init) else {
            let words = Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
            throw Problem(path, "must be \(words)")
        }
        return word
    }

    private static func symbol(_ value: JSONValue, _ path: String) throws(Problem) -> SymbolKey {
        guard let symbol = value.string.flatMap(Symbol.init) else {
            throw Problem(path, "must be a symbol: 1 to 32 of A-Z a-z 0-9 . / -")
        }
        return SymbolKey(symbol)
    }

    private static func list<Element>(
        _ value: JSONValue, _ path: String, _ element: (JSONValue, String) throws(Problem) -> Element
    ) throws(Problem) -> [Element] {
        guard let values = value.array, values.count <= listMax else {
            throw Problem(path, "must be a list of at most \(listMax)")
        }
        var elements: [Element] = []
        for (index, value) in values.enumerated() { elements.append(try element(value, "\(path)[\(index)]")) }
        return elements
    }

    private static func prices(_ value: JSONValue, _ path: String) throws(Problem) -> [SymbolKey: Price] {
        var prices: [SymbolKey: Price] = [:]
        for (name, value) in try members(value, path) {
            guard let symbol = Symbol(name) else { throw Problem(path, "has the name \(name), which is no symbol") }
            let price = try amount(value, "\(path).\(name)")
            guard price.isPositive, price.scale <= 9 else {
                throw Problem("\(path).\(name)", "must be greater than zero, with at most 9 decimal places")
            }
            guard prices.updateValue(Price(price), forKey: SymbolKey(symbol)) == nil else {
                throw Problem("\(path).\(name)", "is the price of a symbol that has one already")
            }
        }
        guard prices.count <= listMax else { throw Problem(path, "must be at most \(listMax) prices") }
        return prices
    }
}
