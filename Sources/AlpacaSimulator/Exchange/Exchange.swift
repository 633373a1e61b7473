package import TradingCore

/// One paper account at one broker: assets, prices, orders and positions. It has no clock and no sockets: every call
/// says what time it is, and what was due until then happens first. Equal calls give equal answers.
///
/// Orders are found by id and by client order id in constant time, and what is open is kept apart, so that a look-up
/// costs the same with ten orders and with a hundred thousand.
package struct Exchange: Sendable {
    /// What is decided before the first order.
    package struct Settings: Sendable {
        package var seed: UInt64 = 1
        package var cash = ExactDecimal(100_000)
        package var timings = Timings.recorded
        /// Whether some 10 % of whole-share orders fill in two parts ("Paper Trading" in Alpaca's documents).
        package var makesPartialFills = false
        package var isMarketOpen = true
        /// Whether an order is refused that could trade with one of our own.
        package var refusesWashTrades = true

        package init() {}
    }

    /// One execution, as the account's activities list it.
    package struct Fill: Sendable {
        package let order: Int
        package let time: Timestamp
        package let quantity: ExactDecimal
        package let price: ExactDecimal
        package let cumulativeQuantity: ExactDecimal
        package let leavesQuantity: ExactDecimal
        package let id: String
    }

    /// What is held of one asset.
    package struct Position: Sendable {
        package let asset: Asset
        /// Negative for a short position.
        package var quantity: ExactDecimal
        package var averagePrice: ExactDecimal
    }

    package let settings: Settings
    package internal(set) var now: Timestamp
    package internal(set) var isMarketOpen: Bool
    package internal(set) var orders: [Order] = []
    package internal(set) var fills: [Fill] = []
    package internal(set) var positions: [String: Position] = [:]
    package internal(set) var cash: ExactDecimal
    package internal(set) var prices: [String: ExactDecimal] = [:]
    package var assets = AssetTable()
    /// For how long a new order stays invisible to look-ups and listings.
    package var hiddenForMilliseconds: Int64 = 0
    /// "new orders are rejected by user request": the account setting `suspend_trade`.
    package var isTradeSuspendedByUser = false
    package var isShortingEnabled = true
    /// Symbols whose trading is halted: market orders are refused.
    package var haltedSymbols: Set<String> = []
    package let accountID: String

    var random: SeededRandom
    var queue = EventQueue()
    var scripts: [Script] = []
    var byID: [String: Int] = [:]
    var byClientOrderID: [String: Int] = [:]
    /// All orders that have not ended, held ones too.
    var live = OrderIndices()
    /// The live simple orders of a symbol and side, to find those that could trade with a new one.
    var liveBySymbol: [SymbolAndSide: OrderIndices] = [:]
    /// Orders that wait for a price.
    var resting: [String: OrderIndices] = [:]
    /// Orders that wait for the market to open, in order of arrival.
    var waitingForOpening: [Int] = []
    var reservedCash = ExactDecimal.zero
    var reservedToSell: [String: ExactDecimal] = [:]
    /// The value of all positions without their signs; nil once a fill or a price has changed it.
    var grossValueKnown: ExactDecimal?

    struct SymbolAndSide: Hashable {
        let symbol: String
        let side: OrderSide
    }

    package init(settings: Settings = Settings(), at time: Timestamp) {
        self.settings = settings
        now = time
        cash = settings.cash
        isMarketOpen = settings.isMarketOpen
        random = SeededRandom(seed: settings.seed)
        accountID = random.uuid()
    }

    // MARK: Time

    /// Lets everything happen that is due until `time`. Time never goes back.
    package mutating func advance(to time: Timestamp) {
        while let event = queue.removeFirst(until: time) {
            now = max(now, event.time)
            apply(event)
        }
        now = max(now, time)
    }

    // MARK: Looking up

    package subscript(index: Int) -> Order { orders[index] }

    /// The order with an id, dashes optional; nil if there is none or it is still hidden.
    package func order(id: String) -> Int? {
        visible(byID[Exchange.normalized(id)])
    }

    /// The order with a client order id; nil if there is none or it is still hidden.
    package func order(clientOrderID: String) -> Int? {
        visible(byClientOrderID[clientOrderID])
    }

    func visible(_ index: Int?) -> Int? {
        guard let index, orders[index].hiddenUntil.map({ $0 <= now }) ?? true else { return nil }
        return index
    }

    /// The UUID without dashes and in lower case; empty if it is none.
    static func normalized(_ id: String) -> String {
        let digits = id.lowercased().filter { $0 != "-" }
        guard digits.utf8.count == 32, digits.allSatisfy(\.isHexDigit) else { return "" }
        return digits
    }

    /// Whether a text is a UUID, dashes optional.
    package static func isUUID(_ id: String) -> Bool { !normalized(id).isEmpty }

    /// Where an asset stands now.
    package func price(of asset: Asset) -> ExactDecimal { prices[asset.symbol] ?? asset.price }

    // MARK: Circumstances

    /// Gives orders to come a life. Scripts are tried in the order in which they were added.
    package mutating func addScript(_ script: Script) {
        scripts.append(script)
    }

    /// Ends all scripts for orders to come.
    package mutating func removeScripts() {
        scripts = []
    }

    /// Moves a price. What waited for it fills, stops are triggered, trailing stops follow.
    package mutating func setPrice(_ price: ExactDecimal, of symbol: String, at time: Timestamp) throws(BrokerRefusal) {
        advance(to: time)
        guard let asset = assets.find(symbol) else { throw .notFound("symbol not found: \(symbol)") }
        let price = price.truncated(places: 9)
        guard price.isPositive, price < ExactDecimal(10_000_000) else {
            throw .badParameter("price must be > 0 and < 10000000")
        }
        prices[asset.symbol] = price
        grossValueKnown = nil
        for index in resting[asset.symbol]?.sorted ?? [] { lookAtPrice(index) }
    }

    /// Opens or closes the market. At the opening the held orders are routed; at the close day orders expire.
    package mutating func setMarket(open: Bool, at time: Timestamp) {
        advance(to: time)
        guard open != isMarketOpen else { return }
        isMarketOpen = open
        if open {
            let waiting = waitingForOpening
            waitingForOpening = []
            for index in waiting where orders[index].status == .accepted {
                orders[index].status = .pendingNew
                orders[index].updatedAt = now
                start(index)
            }
        } else {
            for index in live.sorted { close(index) }
        }
    }

    /// Puts the account's cash at an amount.
    package mutating func setCash(_ amount: ExactDecimal) {
        cash = amount
    }
}
