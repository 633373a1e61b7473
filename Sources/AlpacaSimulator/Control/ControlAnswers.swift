import StrictJSON
import TradingCore

/// What the control requests do. They are described in `ControlHelp`.
extension SimulatorState {
    mutating func control(_ route: ControlRoute, _ request: ParsedRequest, at time: Timestamp) -> HTTPAnswer {
        exchange.advance(to: time)
        do throws(BrokerRefusal) {
            return try carryOut(route, request, at: time)
        } catch {
            return .refusal(error)
        }
    }

    private mutating func carryOut(
        _ route: ControlRoute, _ request: ParsedRequest, at time: Timestamp
    ) throws(BrokerRefusal) -> HTTPAnswer {
        switch route {
        case .receivedOrders:
            return request.http.isOn("summary") ? summaryAnswer() : receivedAnswer(request.http)
        case .requests:
            return .json { writer in
                writer.object { writer in
                    for kind in requestCounts.keys.sorted() {
                        writer.key(kind)
                        writer.number(requestCounts[kind] ?? 0)
                    }
                }
            }
        case .clearFaults: faults.clear()
        case .clearScripts: exchange.removeScripts()
        case .addFault: faults.add(try FaultRule(try body(request)))
        case .randomFaults: faults.random = try RandomFaults(try body(request))
        case .addScript: exchange.addScript(try Script(try body(request)))
        case .market:
            guard let isOpen = try body(request)["open"]?.bool else {
                throw .badParameter("open must be true or false")
            }
            exchange.setMarket(open: isOpen, at: time)
        case .visibility:
            guard let hiddenFor = try body(request)["hidden_for_ms"]?.integer, hiddenFor >= 0 else {
                throw .badParameter("hidden_for_ms must be a whole number of milliseconds")
            }
            exchange.hiddenForMilliseconds = hiddenFor
        case .price:
            let fields = try RequestFields(try body(request))
            guard let symbol = try fields.text("symbol"), let price = try fields.amount("price"), price.isPositive
            else {
                throw .badParameter("symbol and a price > 0 are required")
            }
            try exchange.setPrice(price, of: symbol, at: time)
        case .halt:
            let fields = try RequestFields(try body(request))
            guard let symbol = try fields.text("symbol") else { throw .badParameter("symbol is required") }
            if try fields.flag("halted") {
                exchange.haltedSymbols.insert(symbol)
            } else {
                exchange.haltedSymbols.remove(symbol)
            }
        case .account: try changeAccount(try body(request))
        // `Simulator` has done it: the connections are the server's.
        case .closeConnections: break
        }
        return .json(200, ["ok": true])
    }

    private func body(_ request: ParsedRequest) throws(BrokerRefusal) -> JSONValue {
        guard let json = request.json, json.members != nil else { throw .unreadableBody }
        return json
    }

    private mutating func changeAccount(_ body: JSONValue) throws(BrokerRefusal) {
        if let text = body["cash"]?.scalarText {
            guard let cash = ExactDecimal(text), cash.isPositive, cash < ExactDecimal(100_000_000_000), cash.scale <= 2
            else { throw .badParameter("cash must be dollars and cents below a hundred thousand million") }
            exchange.setCash(cash)
        }
        if let isSuspended = body["trade_suspended_by_user"]?.bool { exchange.isTradeSuspendedByUser = isSuspended }
        if let isEnabled = body["shorting_enabled"]?.bool { exchange.isShortingEnabled = isEnabled }
    }

    private func summaryAnswer() -> HTTPAnswer {
        .json { writer in
            writer.object { writer in
                writer.member("posts", summary.posts)
                writer.member("distinct_client_order_ids", summary.distinctClientOrderIDs)
                writer.member("duplicates", summary.duplicates)
                writer.member("recorded", summary.recorded)
            }
        }
    }

    private func receivedAnswer(_ request: HTTPRequest) -> HTTPAnswer {
        let after = request.value(of: "after").flatMap { Int($0) } ?? 0
        let wanted = request.value(of: "client_order_id")
        return .json { writer in
            writer.array { writer in
                for order in received.dropFirst(max(after, 0))
                where wanted == nil || order.clientOrderID == wanted {
                    order.write(to: &writer)
                }
            }
        }
    }
}

extension FaultRule {
    init(_ body: JSONValue) throws(BrokerRefusal) {
        self.init(try Fault(name: body["fault"]?.string))
        if let times = body["times"]?.integer { timesLeft = Int(times) }
        if body["times"]?.isNull == true { timesLeft = nil }
        clientOrderID = body["client_order_id"]?.string
        contains = body["contains"]?.string
        symbol = body["symbol"]?.string
        if let name = body["method"]?.string { method = try FaultMethod(name: name) }
        if let path = body["path"]?.string { self.path = path }
        if let milliseconds = body["milliseconds"]?.integer { self.milliseconds = milliseconds }
    }
}

extension RandomFaults {
    init(_ body: JSONValue) throws(BrokerRefusal) {
        guard let perMille = body["per_mille"]?.integer, (0...1000).contains(perMille) else {
            throw .badParameter("per_mille must be a whole number from 0 to 1000")
        }
        self.init(seed: UInt64(bitPattern: body["seed"]?.integer ?? 1), perMille: Int(perMille))
        if let names = body["faults"]?.array {
            faults = []
            for name in names { faults.append(try Fault(name: name.string)) }
        }
        if let names = body["methods"]?.array {
            methods = []
            for name in names { methods.insert(try FaultMethod(name: name.string)) }
        }
        milliseconds = body["milliseconds"]?.integer
    }
}

extension Fault {
    init(name: String?) throws(BrokerRefusal) {
        guard let fault = name.flatMap(Fault.init(rawValue:)) else {
            throw .badParameter("fault must be one of \(Fault.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = fault
    }
}

extension FaultMethod {
    init(name: String?) throws(BrokerRefusal) {
        guard let method = name.flatMap(FaultMethod.init(rawValue:)) else {
            throw .badParameter("method must be one of \(FaultMethod.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = method
    }
}

extension Script {
    init(_ body: JSONValue) throws(BrokerRefusal) {
        let fields = try RequestFields(body)
        var steps: [ScriptStep] = []
        for step in try fields.list("steps") ?? [] {
            guard let status = try step.text("status") else { throw .badParameter("every step needs a status") }
            guard let after = try step.amount("after_ms"), let milliseconds = Int64(after.text), milliseconds >= 0
            else {
                throw .badParameter("every step needs after_ms, a whole number of milliseconds")
            }
            let price = try step.amount("price")?.truncated(places: 9)
            if let price, !price.isPositive { throw .badParameter("price must be > 0") }
            steps.append(
                ScriptStep(
                    afterMilliseconds: milliseconds, status: SimulatedOrderStatus(status),
                    filledQuantity: try step.amount("filled_qty")?.truncated(places: 9), price: price))
        }
        let initialStatus = try fields.text("initial_status").map { SimulatedOrderStatus($0) }
        guard !steps.isEmpty || initialStatus != nil else { throw .badParameter("steps or initial_status is required") }
        self.init(
            symbol: try fields.text("symbol"), clientOrderID: try fields.text("client_order_id"),
            initialStatus: initialStatus, steps: steps,
            times: body["times"]?.integer.map { Int($0) })
    }
}
