import HostSystem
import StrictJSON
import TradingCore

/// The way of every request, from the wire and back to it.
final class Simulator: Sendable {
    private let state: Locked<SimulatorState>
    private let clock = SystemClock()
    private let log: (@Sendable (String) -> Void)?

    init(_ settings: SimulatedAlpaca.Settings) {
        state = Locked(SimulatorState(settings, at: clock.now()))
        log = settings.log
    }

    /// Does something to the state at the present time.
    func withState<Result: Sendable>(_ body: (inout SimulatorState, Timestamp) -> Result) -> Result {
        state.withLock { body(&$0, clock.now()) }
    }

    func tryWithState<Result: Sendable>(
        _ body: (inout SimulatorState, Timestamp) throws(BrokerRefusal) -> Result
    ) throws(BrokerRefusal) -> Result {
        let result: Swift.Result<Result, BrokerRefusal> = withState { state, time in
            Swift.Result { () throws(BrokerRefusal) -> Result in try body(&state, time) }
        }
        return try result.get()
    }

    /// Serves one connection until it ends.
    func serve(_ connection: HTTPConnection, _ server: HTTPServer) {
        while !server.isStopping {
            let request: HTTPRequest
            do throws(HTTPConnection.ReadError) {
                request = try connection.next()
            } catch {
                switch error {
                case .ended: return
                case .malformed: _ = put(.nginxPage(400), on: connection, closing: true)
                case .tooLarge: _ = put(.nginxPage(413), on: connection, closing: true)
                }
                return
            }
            guard answer(ParsedRequest(request), on: connection, server) else { return }
        }
    }

    /// Carries out one request, every step in order.
    /// - Returns: Whether the connection is kept.
    private func answer(_ request: ParsedRequest, on connection: HTTPConnection, _ server: HTTPServer) -> Bool {
        if case .control(let route) = request.route {
            if route == .closeConnections { server.closeConnections(except: connection.number) }
            let answer = withState { state, time in state.control(route, request, at: time) }
            return put(answer, on: connection, closing: !request.http.keepsConnection)
        }
        let isReused = connection.served > 1
        let number = connection.number
        let arrival = withState { state, time in
            state.arrive(request, number, isReused: isReused, at: time)
        }
        let fault = arrival.fault
        let pause = { (milliseconds: Int64) in
            ServerThread.pause(milliseconds: milliseconds, unless: { server.isStopping })
        }
        if let fault, fault.fault == .delayBeforeRecording { pause(fault.milliseconds) }
        var answer: HTTPAnswer?
        if fault?.fault.recordsOrder ?? true {
            answer = withState { state, time in state.answer(request, arrival, at: time) }
        }
        if let fault, fault.fault == .delayAfterRecording { pause(fault.milliseconds) }

        var delivery = Delivery(answer, fault)
        delivery.answer?.headers += arrival.headers
        if let status = delivery.answer?.status {
            withState { state, _ in state.noteStatus(status, for: arrival) }
        }
        tell(request, delivery, fault?.fault)
        return deliver(delivery, on: connection, closing: !request.http.keepsConnection, pause)
    }

    private func deliver(
        _ delivery: Delivery, on connection: HTTPConnection, closing: Bool, _ pause: (Int64) -> Void
    ) -> Bool {
        guard let answer = delivery.answer else { return false }
        switch delivery.manner {
        case .whole: return put(answer, on: connection, closing: closing)
        case .halfThenReset:
            if connection.send(answer.head(closing: closing) + answer.body.prefix(answer.body.count / 2)) {
                // A reset throws away what the client has not read yet, so it is given time to read.
                pause(20)
            }
            connection.resetOnClose()
            return false
        case .byteByByte(let milliseconds):
            for byte in answer.head(closing: closing) + answer.body {
                guard connection.send([byte]) else { return false }
                pause(milliseconds)
            }
            return !closing
        }
    }

    private func put(_ answer: HTTPAnswer, on connection: HTTPConnection, closing: Bool) -> Bool {
        connection.send(answer.head(closing: closing) + answer.body) && !closing
    }

    private func tell(_ request: ParsedRequest, _ delivery: Delivery, _ fault: Fault?) {
        guard let log else { return }
        let status = delivery.answer.map { String($0.status) } ?? "no answer"
        let clientOrderID = request.json?["client_order_id"]?.string.map { " \($0)" } ?? ""
        log("\(request.route.kind)\(clientOrderID): \(status)\(fault.map { " (\($0.rawValue))" } ?? "")")
    }
}

/// What goes onto the wire, and how.
struct Delivery {
    enum Manner {
        case whole
        case halfThenReset
        case byteByByte(milliseconds: Int64)
    }

    /// Nil closes the connection without a byte.
    var answer: HTTPAnswer?
    var manner = Manner.whole

    /// - Parameter answer: What the request came to; nil if it was not carried out.
    init(_ answer: HTTPAnswer?, _ fault: ChosenFault?) {
        self.answer = answer
        guard let fault else { return }
        switch fault.fault {
        case .delayBeforeRecording, .delayAfterRecording: break
        case .closeBeforeRecording, .closeAfterRecording, .closeReusedConnection,
            .closeReusedConnectionAfterRecording:
            self.answer = nil
        case .resetMidBody: manner = .halfThenReset
        case .truncatedJSON: self.answer?.body.removeLast((answer?.body.count ?? 0) / 2)
        case .empty200: self.answer = HTTPAnswer(200, .json, [])
        case .html200: self.answer = HTTPAnswer(200, .html, Array("<html><body>ok</body></html>".utf8))
        case .html502: self.answer = .nginxPage(502)
        case .html504, .html504Unrecorded: self.answer = .nginxPage(504)
        case .json500AfterRecording, .json500Unrecorded:
            self.answer = .json(500, ["code": 50_010_000, "message": "internal server error occurred"])
        case .text429: self.answer = HTTPAnswer(429, .text, Array("too many requests".utf8))
        case .slowDrip: manner = .byteByByte(milliseconds: fault.milliseconds)
        }
    }
}
