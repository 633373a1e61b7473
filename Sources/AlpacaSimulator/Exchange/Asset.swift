package import TradingCore

/// What kind of thing an asset is, in Alpaca's words.
package enum AssetClass: String, Sendable {
    case equity = "us_equity"
    case option = "us_option"
    case crypto
}

/// Something that can be traded, with what Alpaca tells of it and the price it stands at here.
package struct Asset: Sendable {
    package let id: String
    package let symbol: String
    package let name: String
    /// A word of alpaca-py's `AssetExchange`.
    package let exchange: String
    package let assetClass: AssetClass
    package let isActive: Bool
    package let isTradable: Bool
    package let isFractionable: Bool
    package let isShortable: Bool
    package let isEasyToBorrow: Bool
    /// The price at the start; `Exchange.setPrice` moves it.
    package let price: ExactDecimal
    /// How many units one contract stands for: 100 for options, else 1.
    package var multiplier: Int { assetClass == .option ? 100 : 1 }

    /// The symbol as positions and paths write it: crypto loses its slash there.
    package var positionSymbol: String { symbol.filter { $0 != "/" } }

    fileprivate init(
        _ symbol: String, _ name: String, _ exchange: String, _ price: ExactDecimal, _ assetClass: AssetClass,
        isActive: Bool = true, isTradable: Bool = true, isFractionable: Bool = true, isShortable: Bool = true,
        isEasyToBorrow: Bool = true
    ) {
        var random = SeededRandom(text: symbol)
        id = random.uuid()
        self.symbol = symbol
        self.name = name
        self.exchange = exchange
        self.assetClass = assetClass
        self.isActive = isActive
        self.isTradable = isTradable
        self.isFractionable = isFractionable
        self.isShortable = isShortable
        self.isEasyToBorrow = isEasyToBorrow
        self.price = price
    }
}

/// The built-in assets, found by symbol, by id, and crypto also without its slash. Prices are made up and of the
/// right order of magnitude. Every well-formed OCC option symbol is an asset too.
package struct AssetTable: Sendable {
    package private(set) var all: [Asset] = []
    private var byKey: [String: Int] = [:]

    package init() {
        for asset in AssetTable.equities + AssetTable.coins { add(asset) }
    }

    /// The asset with a symbol or an id. An option is entered when it is first asked for.
    package mutating func find(_ text: String) -> Asset? {
        if let index = byKey[text] { return all[index] }
        guard let option = AssetTable.option(text) else { return nil }
        add(option)
        return option
    }

    private mutating func add(_ asset: Asset) {
        for key in [asset.symbol, asset.id, asset.positionSymbol] { byKey[key] = all.count }
        all.append(asset)
    }

    /// Reads `ROOTyymmddC00250000`: one to six letters, a date, C or P, and the strike in thousandths of a dollar.
    private static func option(_ text: String) -> Asset? {
        let bytes = Array(text.utf8)
        guard (16...21).contains(bytes.count) else { return nil }
        let root = bytes.dropLast(15)
        let date = bytes.suffix(15).prefix(6)
        let kind = bytes[bytes.count - 9]
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        let isLetter = { (byte: UInt8) in (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
        guard root.allSatisfy({ isLetter($0) || isDigit($0) }), root.first.map(isLetter) == true,
            date.allSatisfy(isDigit), kind == UInt8(ascii: "C") || kind == UInt8(ascii: "P"),
            bytes.suffix(8).allSatisfy(isDigit)
        else { return nil }
        return Asset(
            text, "\(String(decoding: root, as: UTF8.self)) option", "", amount("2.5"), .option,
            isFractionable: false, isEasyToBorrow: false)
    }

    private static func amount(_ text: String) -> ExactDecimal {
        guard let amount = ExactDecimal(text) else { preconditionFailure("a built-in price is a decimal") }
        return amount
    }

    private static func equity(
        _ symbol: String, _ name: String, _ exchange: String, _ price: String, isTradable: Bool = true,
        isFractionable: Bool = true, isShortable: Bool = true, isEasyToBorrow: Bool = true
    ) -> Asset {
        Asset(
            symbol, name, exchange, amount(price), .equity, isTradable: isTradable, isFractionable: isFractionable,
            isShortable: isShortable, isEasyToBorrow: isEasyToBorrow)
    }

    private static let equities: [Asset] = [
        equity("AAPL", "Apple Inc. Common Stock", "NASDAQ", "230.5"),
        equity("AMD", "Advanced Micro Devices, Inc. Common Stock", "NASDAQ", "160.2"),
        equity("AMZN", "Amazon.com, Inc. Common Stock", "NASDAQ", "221.4"),
        equity("BAC", "Bank of America Corporation", "NYSE", "47.3"),
        equity("BRK.B", "Berkshire Hathaway Inc. Class B", "NYSE", "492.1"),
        equity("C", "Citigroup Inc.", "NYSE", "96.2"),
        equity("DIS", "Walt Disney Company", "NYSE", "113.6"),
        equity("F", "Ford Motor Company", "NYSE", "11.7"),
        equity("GE", "GE Aerospace", "NYSE", "281.9"),
        equity("GLD", "SPDR Gold Trust", "ARCA", "340.8"),
        equity("GOOGL", "Alphabet Inc. Class A Common Stock", "NASDAQ", "240.6"),
        equity("INTC", "Intel Corporation Common Stock", "NASDAQ", "24.8"),
        equity("IWM", "iShares Russell 2000 ETF", "ARCA", "238.7"),
        equity("JNJ", "Johnson & Johnson", "NYSE", "178.3"),
        equity("JPM", "JP Morgan Chase & Co.", "NYSE", "301.2"),
        equity("KO", "Coca-Cola Company", "NYSE", "60.1"),
        equity("META", "Meta Platforms, Inc. Class A", "NASDAQ", "755.4"),
        equity("MSFT", "Microsoft Corporation Common Stock", "NASDAQ", "505.2"),
        equity("NFLX", "Netflix, Inc. Common Stock", "NASDAQ", "1203.5"),
        equity("NVDA", "NVIDIA Corporation Common Stock", "NASDAQ", "177.9"),
        equity("ORCL", "Oracle Corporation", "NYSE", "292.4"),
        equity("PEP", "PepsiCo, Inc. Common Stock", "NASDAQ", "142.6"),
        equity("PFE", "Pfizer Inc.", "NYSE", "24.1"),
        equity("QQQ", "Invesco QQQ Trust, Series 1", "NASDAQ", "586.7"),
        equity("SPY", "SPDR S&P 500 ETF Trust", "ARCA", "658.9"),
        equity("T", "AT&T Inc.", "NYSE", "29.3"),
        equity("TSLA", "Tesla, Inc. Common Stock", "NASDAQ", "410.3"),
        equity("VTI", "Vanguard Total Stock Market ETF", "ARCA", "324.5"),
        equity("WMT", "Walmart Inc.", "NYSE", "103.4"),
        equity("XOM", "Exxon Mobil Corporation", "NYSE", "112.8"),
        // One of each kind that answers differently.
        equity("SNDL", "SNDL Inc. Common Shares", "NASDAQ", "0.4525", isFractionable: false),
        equity("BRK.A", "Berkshire Hathaway Inc. Class A", "NYSE", "738000", isFractionable: false),
        equity("RGC", "Regencell Bioscience Holdings", "NASDAQ", "15.2", isTradable: false, isFractionable: false),
        equity("TMCR", "A company not to be sold short", "NASDAQ", "8.4", isShortable: false, isEasyToBorrow: false),
        equity("GME", "GameStop Corporation Class A", "NYSE", "25.6", isEasyToBorrow: false),
    ]

    private static let coins: [Asset] = [
        Asset("BTC/USD", "Bitcoin / US Dollar", "CRYPTO", amount("97000"), .crypto, isShortable: false),
        Asset("ETH/USD", "Ethereum / US Dollar", "CRYPTO", amount("3200"), .crypto, isShortable: false),
        Asset("MKR/USD", "Maker / US Dollar", "CRYPTO", amount("1500"), .crypto, isActive: false, isShortable: false),
    ]
}
