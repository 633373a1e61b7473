import StrictJSON
import TradingCore

/// Everything the simulator knows, behind one lock.
struct SimulatorState: Sendable {
    var exchange: Exchange
    var faults = FaultPlan()
    var rateLimit: RateLimit
    let credentials: Credentials
    private(set) var received: [ReceivedOrder] = []
    private(set) var summary = ReceivedSummary()
    private(set) var requestCounts: [String: Int] = [:]
    private var seenClientOrderIDs: Set<String> = []
    private var requestIDs: SeededRandom

    init(_ settings: SimulatedAlpaca.Settings, at time: Timestamp) {
        exchange = Exchange(settings: settings.exchange, at: time)
        exchange.hiddenForMilliseconds = settings.hiddenForMilliseconds
        faults.random = settings.randomFaults
        rateLimit = RateLimit(limit: settings.rateLimit)
        credentials = Credentials(keyID: settings.keyID, secret: settings.secret)
        requestIDs = SeededRandom(seed: settings.exchange.seed ^ 0x7265_7175_6573_7473)
    }

    // MARK: Arrival

    /// Takes down that a request has arrived, before anything is done with it.
    mutating func arrive(_ request: ParsedRequest, _ connection: Int, isReused: Bool, at time: Timestamp) -> Arrival {
        exchange.advance(to: time)
        requestCounts[request.route.kind, default: 0] += 1
        let (isAllowed, rateHeaders) = rateLimit.count(at: time)
        let requestID = HexadecimalText.of(requestIDs.next()) + HexadecimalText.of(requestIDs.next())
        let headers = [("X-Request-ID", String(decoding: requestID, as: UTF8.self))] + rateHeaders
        let fault = request.route.faultMethod.flatMap { method in
            faults.choose(for: target(request, method, isReused))
        }
        var arrival = Arrival(headers: headers, isAllowed: isAllowed, fault: fault)
        if request.route == .submitOrder {
            arrival.received = takeDown(request, connection, isReused, fault?.fault, at: time)
        }
        return arrival
    }

    private func target(_ request: ParsedRequest, _ method: FaultMethod, _ isReused: Bool) -> FaultTarget {
        var clientOrderID = request.json?["client_order_id"]?.string
        var symbol = request.json?["symbol"]?.string
        switch request.route {
        case .orderByClientID:
            clientOrderID = request.http.value(of: "client_order_id")
            symbol = clientOrderID.flatMap { exchange.byClientOrderID[$0] }.map { exchange[$0].symbol }
        case .order(let id), .replaceOrder(let id), .cancelOrder(let id):
            let order = exchange.byID[Exchange.normalized(id)].map { exchange[$0] }
            clientOrderID = order?.clientOrderID
            symbol = order?.symbol
        default: break
        }
        return FaultTarget(
            method: method, path: "/" + request.http.path.joined(separator: "/"), clientOrderID: clientOrderID,
            symbol: symbol,
            isOnReusedConnection: isReused)
    }

    private mutating func takeDown(
        _ request: ParsedRequest, _ connection: Int, _ isReused: Bool, _ fault: Fault?, at time: Timestamp
    ) -> Int {
        let clientOrderID = request.json?["client_order_id"]?.string
        let isDuplicate = clientOrderID.map { !seenClientOrderIDs.insert($0).inserted } ?? false
        summary.posts += 1
        summary.duplicates += isDuplicate ? 1 : 0
        summary.distinctClientOrderIDs = seenClientOrderIDs.count
        received.append(
            ReceivedOrder(
                sequence: received.count + 1, receivedAt: time, connection: connection,
                isOnReusedConnection: isReused, clientOrderID: clientOrderID,
                symbol: request.json?["symbol"]?.string, side: request.json?["side"]?.string,
                quantity: request.json?["qty"]?.scalarText, notional: request.json?["notional"]?.scalarText,
                body: String(decoding: request.http.body, as: UTF8.self), isDuplicate: isDuplicate, fault: fault))
        return received.count - 1
    }

    // MARK: Carrying out

    /// Answers a request as Alpaca would, and does what it asks for.
    mutating func answer(_ request: ParsedRequest, _ arrival: Arrival, at time: Timestamp) -> HTTPAnswer {
        exchange.advance(to: time)
        guard arrival.isAllowed else { return .json(429, ["message": "too many requests."]) }
        if request.route.hasBody, request.json == nil { return .refusal(.unreadableBody) }
        if let refusal = credentials.refusal(of: request.http) { return refusal }
        do throws(BrokerRefusal) {
            return try carryOut(request, arrival, at: time)
        } catch {
            return .refusal(error)
        }
    }

    mutating func noteRecorded(_ order: Int, for arrival: Arrival) {
        guard let index = arrival.received else { return }
        received[index].isRecorded = true
        received[index].orderID = exchange[order].id
        summary.recorded += 1
    }

    mutating func noteStatus(_ status: Int, for arrival: Arrival) {
        guard let index = arrival.received else { return }
        received[index].httpStatus = status
    }
}

/// What was found out about a request when it arrived.
struct Arrival: Sendable {
    /// The headers that every answer carries.
    let headers: [(name: String, value: String)]
    let isAllowed: Bool
    let fault: ChosenFault?
    /// Its place in the list of received orders.
    var received: Int?

    init(headers: [(name: String, value: String)], isAllowed: Bool, fault: ChosenFault?) {
        self.headers = headers
        self.isAllowed = isAllowed
        self.fault = fault
    }
}

extension JSONValue {
    /// The text of a string or the literal of a number.
    var scalarText: String? {
        switch self {
        case .string(let text), .number(let text): text
        case .null, .bool, .array, .object: nil
        }
    }
}
