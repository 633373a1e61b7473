package import TradingCore

/// A simulated Alpaca without clock and sockets: every request says what time it is, and equal requests at equal times
/// get equal answers. For simulations that run in time of their own.
package struct VirtualAlpaca: Sendable {
    private var state: SimulatorState

    package init(settings: SimulatedAlpaca.Settings, at time: Timestamp) {
        state = SimulatorState(settings, at: time)
    }

    /// What a request is answered with.
    package struct Answer: Sendable, Equatable {
        package var status: Int
        package var body: [UInt8]
        package var requestID: String
    }

    /// Carries out a request.
    /// - Parameter target: The path with its query, percent-encoded.
    package mutating func answer(
        _ method: String, _ target: String, body: [UInt8] = [], at time: Timestamp
    ) -> Answer {
        let text = "\(method) \(target) HTTP/1.1\r\nAPCA-API-KEY-ID: VIRTUAL\r\nAPCA-API-SECRET-KEY: virtual\r\n"
        guard let head = HTTPRequestHead(text[...]) else { preconditionFailure("no request: \(method) \(target)") }
        let request = ParsedRequest(
            HTTPRequest(
                method: head.method, path: head.path, query: head.query, headers: head.headers, body: body,
                keepsConnection: true))
        let arrival = state.arrive(request, 1, isReused: true, at: time)
        let answer = state.answer(request, arrival, at: time)
        state.noteStatus(answer.status, for: arrival)
        let requestID = arrival.headers.first { $0.name == "X-Request-ID" }?.value ?? ""
        return Answer(status: answer.status, body: answer.body, requestID: requestID)
    }

    /// The books, for looking at and for what happens at the broker without a request.
    package var exchange: Exchange {
        get { state.exchange }
        set { state.exchange = newValue }
    }

    /// The order with a client order id as it stands at a time, hidden or not; nil if there is none.
    package mutating func order(clientOrderID: String, at time: Timestamp) -> Order? {
        state.exchange.advance(to: time)
        return state.exchange.byClientOrderID[clientOrderID].map { state.exchange[$0] }
    }

    /// The order with an id, hidden or not; nil if there is none.
    package mutating func order(id: String, at time: Timestamp) -> Order? {
        state.exchange.advance(to: time)
        return state.exchange.byID[Exchange.normalized(id)].map { state.exchange[$0] }
    }
}
