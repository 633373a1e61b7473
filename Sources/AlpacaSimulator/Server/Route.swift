import StrictJSON

/// What a request asks for.
enum Route: Equatable, Sendable {
    case submitOrder
    case listOrders
    case cancelAllOrders
    case orderByClientID
    case order(id: String)
    case replaceOrder(id: String)
    case cancelOrder(id: String)
    case account
    case accountConfigurations
    case activities
    case clock
    case assets
    case asset(String)
    case positions
    case closeAllPositions
    case position(String)
    case closePosition(String)
    case control(ControlRoute)
    case unknown

    init(method: String, path: [String]) {
        if path.first == "_simulator" {
            let control = ControlRoute(method: method, path: path.dropFirst().joined(separator: "/"))
            self = control.map(Route.control) ?? .unknown
            return
        }
        guard path.first == "v2" else {
            self = .unknown
            return
        }
        // A symbol with a slash that was not encoded arrives as two segments.
        let rest = path.dropFirst(2).joined(separator: "/")
        switch (method, path.count > 1 ? path[1] : "", rest) {
        case ("POST", "orders", ""): self = .submitOrder
        case ("GET", "orders", ""): self = .listOrders
        case ("DELETE", "orders", ""): self = .cancelAllOrders
        case ("GET", "orders:by_client_order_id", ""): self = .orderByClientID
        case ("GET", "orders", _): self = .order(id: rest)
        case ("PATCH", "orders", _): self = .replaceOrder(id: rest)
        case ("DELETE", "orders", _): self = .cancelOrder(id: rest)
        case ("GET", "account", ""): self = .account
        case ("GET", "account", "configurations"): self = .accountConfigurations
        case ("GET", "account", "activities"), ("GET", "account", "activities/FILL"): self = .activities
        case ("GET", "clock", ""): self = .clock
        case ("GET", "assets", ""): self = .assets
        case ("GET", "assets", _): self = .asset(rest)
        case ("GET", "positions", ""): self = .positions
        case ("DELETE", "positions", ""): self = .closeAllPositions
        case ("GET", "positions", _): self = .position(rest)
        case ("DELETE", "positions", _): self = .closePosition(rest)
        default: self = .unknown
        }
    }

    /// The name under which requests of this kind are counted.
    var kind: String {
        switch self {
        case .submitOrder: "POST /v2/orders"
        case .listOrders: "GET /v2/orders"
        case .cancelAllOrders: "DELETE /v2/orders"
        case .orderByClientID: "GET /v2/orders:by_client_order_id"
        case .order: "GET /v2/orders/{id}"
        case .replaceOrder: "PATCH /v2/orders/{id}"
        case .cancelOrder: "DELETE /v2/orders/{id}"
        case .account: "GET /v2/account"
        case .accountConfigurations: "GET /v2/account/configurations"
        case .activities: "GET /v2/account/activities"
        case .clock: "GET /v2/clock"
        case .assets: "GET /v2/assets"
        case .asset: "GET /v2/assets/{symbol}"
        case .positions: "GET /v2/positions"
        case .closeAllPositions: "DELETE /v2/positions"
        case .position: "GET /v2/positions/{symbol}"
        case .closePosition: "DELETE /v2/positions/{symbol}"
        case .control: "control"
        case .unknown: "unknown"
        }
    }

    /// Which faults may strike it; nil where none may.
    var faultMethod: FaultMethod? {
        switch self {
        case .submitOrder: .post
        case .listOrders, .orderByClientID, .order, .clock, .position: .get
        case .replaceOrder: .patch
        case .cancelAllOrders, .cancelOrder: .delete
        case .account, .accountConfigurations, .activities, .assets, .asset, .positions, .closeAllPositions,
            .closePosition, .control, .unknown:
            nil
        }
    }

    /// Whether it cannot be without a body of JSON.
    var hasBody: Bool {
        switch self {
        case .submitOrder, .replaceOrder: true
        default: false
        }
    }
}

/// A request with its route found and its body read, which needs no lock.
struct ParsedRequest: Sendable {
    let http: HTTPRequest
    let route: Route
    /// Nil if the body is not JSON.
    let json: JSONValue?

    init(_ http: HTTPRequest) {
        self.http = http
        route = Route(method: http.method, path: http.path)
        do {
            json = http.body.isEmpty ? nil : try JSONValue(parsing: http.body)
        } catch {
            json = nil
        }
    }
}
