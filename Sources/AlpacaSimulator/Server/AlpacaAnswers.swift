import StrictJSON
import TradingCore

/// Alpaca's own endpoints.
extension SimulatorState {
    mutating func carryOut(
        _ request: ParsedRequest, _ arrival: Arrival, at time: Timestamp
    ) throws(BrokerRefusal) -> HTTPAnswer {
        let body = request.json ?? .object([])
        switch request.route {
        case .submitOrder:
            let ticket = try OrderTicket(body)
            let index = try exchange.submit(ticket, at: time)
            noteRecorded(index, for: arrival)
            return orderAnswer(index, nested: true)
        case .listOrders:
            let filter = try OrderFilter(request.http)
            return .json { writer in
                writer.array { writer in
                    for index in exchange.list(filter) {
                        exchange.write(index, nested: filter.isNested, to: &writer)
                    }
                }
            }
        case .cancelAllOrders: return cancelAll(at: time)
        case .orderByClientID:
            guard let clientOrderID = request.http.value(of: "client_order_id"), !clientOrderID.isEmpty else {
                throw .badParameter("client_order_id is missing")
            }
            guard let index = exchange.order(clientOrderID: clientOrderID) else {
                throw .notFound("order not found for \(clientOrderID)")
            }
            return orderAnswer(index, nested: request.http.isOn("nested"))
        case .order(let id):
            return orderAnswer(try find(id), nested: request.http.isOn("nested"))
        case .replaceOrder(let id):
            let successor = try exchange.replace(try find(id), with: try OrderChanges(body), at: time)
            return orderAnswer(successor, nested: false)
        case .cancelOrder(let id):
            try exchange.cancel(try find(id), at: time)
            return .noContent
        case .account: return accountAnswer()
        case .accountConfigurations: return configurationsAnswer()
        case .activities: return activitiesAnswer(request.http)
        case .clock: return clockAnswer()
        case .assets: return assetsAnswer(request.http)
        case .asset(let name): return try assetAnswer(name)
        case .positions: return positionsAnswer()
        case .position(let name): return try positionAnswer(name)
        case .closePosition(let name): return try closePosition(name, request.http, at: time)
        case .closeAllPositions: return closeAllPositions(request.http, at: time)
        case .control, .unknown: throw .notFound("endpoint not found")
        }
    }

    // MARK: Orders

    private func find(_ id: String) throws(BrokerRefusal) -> Int {
        guard Exchange.isUUID(id) else { throw .badParameter("order_id is missing") }
        guard let index = exchange.order(id: id) else { throw .notFound("order not found for \(id)") }
        return index
    }

    private func orderAnswer(_ index: Int, nested: Bool) -> HTTPAnswer {
        .json { exchange.write(index, nested: nested, to: &$0) }
    }

    private mutating func cancelAll(at time: Timestamp) -> HTTPAnswer {
        let rows = exchange.cancelAll(at: time)
        return .json(207) { writer in
            writer.array { writer in
                for row in rows {
                    writer.object { writer in
                        if let refusal = row.refusal {
                            writer.key("body")
                            refusal.body.write(to: &writer)
                        }
                        writer.member("id", exchange[row.order].id)
                        writer.member("status", row.refusal?.httpStatus ?? 200)
                    }
                }
            }
        }
    }

    // MARK: Positions

    private func position(_ name: String) throws(BrokerRefusal) -> Exchange.Position {
        for position in exchange.positions.values
        where position.asset.symbol == name || position.asset.positionSymbol == name || position.asset.id == name {
            return position
        }
        throw .notFound("position does not exist")
    }

    private func positionsAnswer() -> HTTPAnswer {
        .json { writer in
            writer.array { writer in
                for key in exchange.positions.keys.sorted() {
                    if let position = exchange.positions[key] { exchange.write(position, to: &writer) }
                }
            }
        }
    }

    private func positionAnswer(_ name: String) throws(BrokerRefusal) -> HTTPAnswer {
        let position = try position(name)
        return .json { exchange.write(position, to: &$0) }
    }

    private mutating func closePosition(
        _ name: String, _ request: HTTPRequest, at time: Timestamp
    ) throws(BrokerRefusal) -> HTTPAnswer {
        let position = try position(name)
        var quantity = position.quantity.magnitude
        if let text = request.value(of: "qty") {
            guard let wanted = ExactDecimal(text), wanted.isPositive else { throw .badParameter("qty must be > 0") }
            quantity = wanted.truncated(places: 9)
        } else if let text = request.value(of: "percentage") {
            guard let wanted = ExactDecimal(text), wanted.isPositive, wanted <= ExactDecimal(100) else {
                throw .badParameter("percentage must be > 0 and <= 100")
            }
            quantity = quantity.times(wanted.truncated(places: 9)).divided(by: ExactDecimal(100))
        }
        let order = try exchange.submit(SimulatorState.closing(position, quantity), at: time)
        return orderAnswer(order, nested: false)
    }

    private static func closing(_ position: Exchange.Position, _ quantity: ExactDecimal) -> OrderTicket {
        var ticket = OrderTicket()
        ticket.symbol = position.asset.symbol
        ticket.side = position.quantity.isPositive ? .sell : .buy
        ticket.quantity = quantity
        ticket.timeInForce = position.asset.assetClass == .crypto ? .goodTillCanceled : .day
        return ticket
    }

    private mutating func closeAllPositions(_ request: HTTPRequest, at time: Timestamp) -> HTTPAnswer {
        if request.isOn("cancel_orders") {
            for index in exchange.live.sorted { exchange.end(index, .canceled) }
        }
        var rows: [(symbol: String, result: Result<Int, BrokerRefusal>)] = []
        for key in exchange.positions.keys.sorted() {
            guard let position = exchange.positions[key] else { continue }
            let ticket = SimulatorState.closing(position, position.quantity.magnitude)
            let result = Result { () throws(BrokerRefusal) -> Int in try exchange.submit(ticket, at: time) }
            rows.append((position.asset.positionSymbol, result))
        }
        return .json(207) { writer in
            writer.array { writer in
                for row in rows {
                    writer.object { writer in
                        writer.key("body")
                        switch row.result {
                        case .success(let order): exchange.write(order, nested: false, to: &writer)
                        case .failure(let refusal): refusal.body.write(to: &writer)
                        }
                        switch row.result {
                        case .success: writer.member("status", 200)
                        case .failure(let refusal): writer.member("status", refusal.httpStatus)
                        }
                        writer.member("symbol", row.symbol)
                    }
                }
            }
        }
    }
}

extension OrderFilter {
    /// Reads the filters of a listing.
    init(_ request: HTTPRequest) throws(BrokerRefusal) {
        self.init()
        if let text = request.value(of: "status") {
            guard let status = Status(rawValue: text) else { throw .badParameter("invalid status") }
            self.status = status
        }
        if let text = request.value(of: "limit") {
            guard let limit = Int(text), (1...OrderFilter.limitMax).contains(limit) else {
                throw .badParameter("limit must be between 1 and \(OrderFilter.limitMax)")
            }
            self.limit = limit
        }
        after = try OrderFilter.time(request, "after")
        until = try OrderFilter.time(request, "until")
        isAscending = request.value(of: "direction") == "asc"
        isNested = request.isOn("nested")
        symbols = OrderFilter.words(request, "symbols")
        assetClasses = OrderFilter.words(request, "asset_class")
        if let text = request.value(of: "side"), !text.isEmpty {
            guard let side = OrderSide(rawValue: text) else { throw .badParameter("invalid side") }
            self.side = side
        }
        beforeOrderID = request.value(of: "before_order_id")
        afterOrderID = request.value(of: "after_order_id")
    }

    private static func time(_ request: HTTPRequest, _ name: String) throws(BrokerRefusal) -> Timestamp? {
        guard let text = request.value(of: name), !text.isEmpty else { return nil }
        // A date alone means its beginning; a `+` of an offset that was not encoded has become a space.
        let full = text.utf8.count == 10 ? text + "T00:00:00Z" : String(text.map { $0 == " " ? "+" : $0 })
        guard let time = Timestamp(full) else { throw .badParameter("invalid \(name)") }
        return time
    }

    private static func words(_ request: HTTPRequest, _ name: String) -> Set<String> {
        Set((request.value(of: name) ?? "").split(separator: ",").map(String.init))
    }
}
