import StrictJSON
import TradingCore

/// Account, clock, assets, activities. Source of the fields: answers recorded in 2026-10, and what alpaca-py 0.44.0
/// insists on.
extension SimulatorState {
    func accountAnswer() -> HTTPAnswer {
        let equity = exchange.equity.text
        let gross = exchange.grossValue
        var long = ExactDecimal.zero
        for position in exchange.positions.values where position.quantity.isPositive {
            long = long + exchange.marketValue(of: position)
        }
        let cashPower = exchange.cashBuyingPower.text
        let half = gross.divided(by: ExactDecimal(2), places: 2).text
        let amounts: [(String, String)] = [
            ("accrued_fees", "0"), ("buying_power", exchange.buyingPower.text), ("cash", exchange.cash.text),
            ("effective_buying_power", exchange.buyingPower.text), ("equity", equity), ("initial_margin", half),
            ("intraday_adjustments", "0"), ("last_equity", exchange.settings.cash.text),
            ("last_maintenance_margin", "0"), ("long_market_value", long.text),
            ("maintenance_margin", gross.times(ExactDecimal(3)).divided(by: ExactDecimal(10), places: 2).text),
            ("multiplier", "4"), ("non_marginable_buying_power", cashPower), ("options_buying_power", cashPower),
            ("pending_reg_taf_fees", "0"), ("portfolio_value", equity), ("position_market_value", gross.text),
            ("regt_buying_power", exchange.buyingPower.divided(by: ExactDecimal(2), places: 2).text),
            ("short_market_value", (gross - long).negated.text), ("sma", equity),
        ]
        let day = String(exchange.now.text.prefix(10))
        let others: [(String, JSONValue)] = [
            ("account_blocked", false), ("account_number", "PA3SIMULATED"), ("admin_configurations", .object([])),
            ("balance_asof", .string(day)), ("created_at", "2026-01-02T15:04:05.123456Z"),
            ("crypto_status", "ACTIVE"), ("crypto_tier", 1), ("currency", "USD"),
            ("id", .string(exchange.accountID)), ("options_approved_level", 3), ("options_trading_level", 3),
            ("shorting_enabled", .bool(exchange.isShortingEnabled)), ("status", "ACTIVE"),
            ("trade_suspended_by_user", .bool(exchange.isTradeSuspendedByUser)), ("trading_blocked", false),
            ("transfers_blocked", false), ("user_configurations", nil),
        ]
        let members = others.map { JSONValue.Member($0, $1) } + amounts.map { JSONValue.Member($0, .string($1)) }
        return .json(200, .object(members.sorted { $0.key < $1.key }))
    }

    func configurationsAnswer() -> HTTPAnswer {
        .json(
            200,
            [
                "dtbp_check": "entry", "fractional_trading": true, "max_margin_multiplier": "4",
                "max_options_trading_level": 3, "no_shorting": .bool(!exchange.isShortingEnabled),
                "pdt_check": "entry", "ptp_no_exception_entry": false,
                "suspend_trade": .bool(exchange.isTradeSuspendedByUser), "trade_confirm_email": "all",
            ])
    }

    func clockAnswer() -> HTTPAnswer {
        let now = exchange.now
        return .json { writer in
            writer.object { writer in
                writer.member("is_open", exchange.isMarketOpen)
                writer.member("next_close", NewYorkTime.text(NewYorkTime.nextClose(after: now)))
                writer.member("next_open", NewYorkTime.text(NewYorkTime.nextOpen(after: now)))
                writer.member("timestamp", NewYorkTime.text(now))
            }
        }
    }

    // MARK: Assets

    func assetsAnswer(_ request: HTTPRequest) -> HTTPAnswer {
        let assetClass = request.value(of: "asset_class") ?? AssetClass.equity.rawValue
        let status = request.value(of: "status")
        return .json { writer in
            writer.array { writer in
                for asset in exchange.assets.all where asset.assetClass.rawValue == assetClass {
                    guard status == nil || status == (asset.isActive ? "active" : "inactive") else { continue }
                    asset.write(to: &writer)
                }
            }
        }
    }

    mutating func assetAnswer(_ name: String) throws(BrokerRefusal) -> HTTPAnswer {
        guard let asset = exchange.assets.find(name) else { throw .notFound("asset not found for \(name)") }
        return .json { asset.write(to: &$0) }
    }

    // MARK: Activities

    /// Fills, the newest first unless asked otherwise.
    func activitiesAnswer(_ request: HTTPRequest) -> HTTPAnswer {
        let size = min(request.value(of: "page_size").flatMap { Int($0) } ?? 100, 100)
        let fills = exchange.fills
        let isAscending = request.value(of: "direction") == "asc"
        let page = isAscending ? Array(fills.prefix(max(size, 0))) : fills.suffix(max(size, 0)).reversed()
        return .json { writer in
            writer.array { writer in
                for fill in page { write(fill, to: &writer) }
            }
        }
    }

    private func write(_ fill: Exchange.Fill, to writer: inout JSONWriter) {
        let order = exchange[fill.order]
        let isLast = fill.leavesQuantity.isZero
        writer.object { writer in
            writer.member("activity_type", "FILL")
            writer.member("cum_qty", fill.cumulativeQuantity.text)
            writer.member("id", "\(NewYorkTime.digits(fill.time))::\(fill.id)")
            writer.member("leaves_qty", fill.leavesQuantity.text)
            writer.member("order_id", order.id)
            writer.member("order_status", isLast ? "filled" : "partially_filled")
            writer.member("price", fill.price.text)
            writer.member("qty", fill.quantity.text)
            writer.member("side", order.side?.rawValue)
            writer.member("symbol", order.symbol)
            writer.member("transaction_time", fill.time.text)
            writer.member("type", isLast ? "fill" : "partial_fill")
        }
    }
}

extension Asset {
    func write(to writer: inout JSONWriter) {
        let isCrypto = assetClass == .crypto
        writer.object { writer in
            writer.key("attributes")
            writer.array { _ in }
            writer.member("borrow_status", isEasyToBorrow ? "easy_to_borrow" : "hard_to_borrow")
            writer.member("class", assetClass.rawValue)
            writer.member("easy_to_borrow", isEasyToBorrow && isShortable)
            writer.member("exchange", exchange)
            writer.member("fractionable", isFractionable)
            writer.member("id", id)
            writer.member("maintenance_margin_requirement", isCrypto ? 100 : 30)
            writer.member("margin_requirement_long", isCrypto ? "100" : "30")
            writer.member("margin_requirement_short", isCrypto ? "100" : "30")
            writer.member("marginable", assetClass == .equity)
            if isCrypto {
                writer.member("min_order_size", "0.000000001")
                writer.member("min_trade_increment", "0.000000001")
            }
            writer.member("name", name)
            if isCrypto { writer.member("price_increment", "0.000000001") }
            writer.member("shortable", isShortable)
            writer.member("status", isActive ? "active" : "inactive")
            writer.member("symbol", symbol)
            writer.member("tradable", isTradable && isActive)
        }
    }
}

extension Exchange {
    func write(_ position: Position, to writer: inout JSONWriter) {
        let asset = position.asset
        let price = price(of: asset)
        let value = marketValue(of: position)
        let basis = position.quantity.times(position.averagePrice).times(ExactDecimal(asset.multiplier))
        let gain = value - basis
        let ratio = basis.isZero ? .zero : gain.divided(by: basis.magnitude, places: 8)
        let reserved = reservedToSell[asset.symbol] ?? .zero
        let fields: [(String, String)] = [
            ("asset_class", asset.assetClass.rawValue), ("asset_id", asset.id),
            ("avg_entry_price", position.averagePrice.text), ("change_today", "0"), ("cost_basis", basis.text),
            ("current_price", price.text), ("exchange", asset.exchange), ("lastday_price", asset.price.text),
            ("market_value", value.text), ("qty", position.quantity.text),
            ("qty_available", (position.quantity - reserved).text),
            ("side", position.quantity.isPositive ? "long" : "short"), ("symbol", asset.positionSymbol),
            ("unrealized_intraday_pl", gain.text), ("unrealized_intraday_plpc", ratio.text),
            ("unrealized_pl", gain.text), ("unrealized_plpc", ratio.text),
        ]
        var members = fields.map { JSONValue.Member($0, .string($1)) }
        members.append(JSONValue.Member("asset_marginable", .bool(asset.assetClass == .equity)))
        JSONValue.object(members.sorted { $0.key < $1.key }).write(to: &writer)
    }
}
