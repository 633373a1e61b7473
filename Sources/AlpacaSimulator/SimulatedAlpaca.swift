package import TradingCore

/// A simulated Alpaca on a loopback address: for tests in this process, and inside `alpaca-simulator`.
///
/// ```swift
/// let simulator = try await SimulatedAlpaca.start()
/// await simulator.addFault(FaultRule(.html504))
/// // … let a client talk to simulator.url …
/// #expect(await simulator.receivedOrders().count == 1)
/// await simulator.stop()
/// ```
///
/// It runs on threads of its own and keeps serving while a test blocks Swift's. What can be told to it over HTTP is
/// in `ControlHelp`.
package final class SimulatedAlpaca: Sendable {
    /// How it behaves from the start. The defaults are those of a paper account with an open market and no faults.
    package struct Settings: Sendable {
        /// An IPv4 address of this machine.
        package var host = "127.0.0.1"
        package var exchange = Exchange.Settings()
        /// Requests per minute; zero lets all through.
        package var rateLimit = 0
        /// The only key that is taken; nil takes any that is not empty.
        package var keyID: String?
        package var secret: String?
        package var hiddenForMilliseconds: Int64 = 0
        package var randomFaults: RandomFaults?
        /// Is given one line for every request answered.
        package var log: (@Sendable (String) -> Void)?

        package init() {}
    }

    /// Such as `http://127.0.0.1:40123`.
    package let url: String
    package let port: UInt16
    private let simulator: Simulator
    private let server: HTTPServer

    private init(port: UInt16, _ settings: Settings) throws(ServerError) {
        let simulator = Simulator(settings)
        let server = try HTTPServer(host: settings.host, port: port) { connection, server in
            simulator.serve(connection, server)
        }
        self.simulator = simulator
        self.server = server
        self.port = server.port
        url = "http://\(settings.host):\(server.port)"
    }

    /// Starts one. It serves when this returns.
    /// - Parameter port: Zero takes any free one.
    package static func start(
        port: UInt16 = 0, settings: Settings = Settings()
    ) async throws(ServerError) -> SimulatedAlpaca {
        try SimulatedAlpaca(port: port, settings)
    }

    /// Stops listening, breaks off all connections and waits for their threads.
    package func stop() async {
        server.stop()
        // Threads notice within some 20 ms; a hundred times that is more than patience needs.
        for _ in 0..<400 where !server.isStopped {
            do {
                try await Task.sleep(for: .milliseconds(5))
            } catch {
                // The caller's task was cancelled: it does not want to wait.
                return
            }
        }
    }

    // MARK: What was received

    /// Every POST /v2/orders so far, in order of arrival.
    package func receivedOrders() async -> [ReceivedOrder] {
        simulator.withState { state, _ in state.received }
    }

    /// Counts of the POSTs received: what a test of "once" needs.
    package func summary() async -> ReceivedSummary {
        simulator.withState { state, _ in state.summary }
    }

    /// How many requests of each kind came, such as `GET /v2/orders/{id}`.
    package func requestCounts() async -> [String: Int] {
        simulator.withState { state, _ in state.requestCounts }
    }

    /// The order with a client order id as it stands now, hidden or not; nil if there is none.
    package func order(clientOrderID: String) async -> Order? {
        simulator.withState { state, time in
            state.exchange.advance(to: time)
            return state.exchange.byClientOrderID[clientOrderID].map { state.exchange[$0] }
        }
    }

    // MARK: Faults and circumstances

    /// Makes a fault strike the next requests that its rule names. Rules are tried in the order in which they were
    /// added.
    package func addFault(_ rule: FaultRule) async {
        simulator.withState { state, _ in state.faults.add(rule) }
    }

    /// Makes faults strike at random from now on; nil ends that.
    package func setRandomFaults(_ faults: RandomFaults?) async {
        simulator.withState { state, _ in state.faults.random = faults }
    }

    /// Ends all faults, those by rule and those at random.
    package func clearFaults() async {
        simulator.withState { state, _ in state.faults.clear() }
    }

    /// Closes all connections, as a server does with idle ones. New ones are served.
    package func closeConnections() async {
        server.closeConnections()
    }

    /// Gives orders to come a life of their own. Scripts are tried in the order in which they were added.
    package func addScript(_ script: Script) async {
        simulator.withState { state, _ in state.exchange.addScript(script) }
    }

    /// Opens the market, which routes the held orders, or closes it, which ends those of the day.
    package func setMarket(open: Bool) async {
        simulator.withState { state, time in state.exchange.setMarket(open: open, at: time) }
    }

    /// For how long new orders stay invisible to look-ups.
    package func setHiddenFor(milliseconds: Int64) async {
        simulator.withState { state, _ in state.exchange.hiddenForMilliseconds = milliseconds }
    }

    /// Moves a price.
    /// - Throws: A refusal if there is no such symbol, or the price is not above zero.
    package func setPrice(_ price: ExactDecimal, of symbol: String) async throws(BrokerRefusal) {
        try simulator.tryWithState { (state, time) throws(BrokerRefusal) in
            try state.exchange.setPrice(price, of: symbol, at: time)
        }
    }
}
