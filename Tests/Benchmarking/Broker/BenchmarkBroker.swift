import Glibc
import HostSystem
import StrictJSON
import TradingCore

/// A broker that fills every order: HTTP/1.1 with connections kept alive, on one thread, a few system calls a request.
///
/// It notes when each order came and when it was answered; `GET /benchmark/arrivals` lists that. What it does not know
/// of the broker's interface it answers with 404.
package final class BenchmarkBroker {
    package let port: UInt16
    private let listener: Int32
    private let delay: Int64
    private let alarm: Alarm
    private var connections: [Connection] = []
    private var arrivals: [BrokerArrival] = []
    /// Answers that are being thought about, the next one due first.
    private var waiting: [DelayedAnswer] = []

    private final class Connection {
        let socket: StreamSocket
        var unread: [UInt8] = []

        init(_ socket: StreamSocket) { self.socket = socket }
    }

    private struct DelayedAnswer {
        let due: Int64
        let connection: Connection
        let clientOrderID: String
        let arrivedAt: Int64
        let bytes: [UInt8]
    }

    /// - Parameter delay: How long it thinks about an order, in nanoseconds.
    package init(delay: Int64) throws {
        (listener, port) = try StreamSocket.listen()
        self.delay = delay
        alarm = try Alarm()
        arrivals.reserveCapacity(100_000)
    }

    deinit { close(listener) }

    /// Serves until the process that started this one has ended.
    package func serve() throws {
        let parent = getppid()
        while getppid() == parent {
            let sources = [listener, alarm.descriptor] + connections.map(\.socket.descriptor)
            var events = sources.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let count = poll(&events, nfds_t(events.count), 1000)
            if count < 0, errno != EINTR { throw BenchmarkFailure(system: "waiting for requests") }
            guard count > 0 else { continue }
            if events[1].revents != 0 { try answerDue() }
            for (connection, event) in zip(connections, events[2...]) where event.revents != 0 {
                try read(connection)
            }
            if events[0].revents != 0 {
                connections.append(Connection(try StreamSocket(accept(listener, nil, nil))))
            }
        }
    }

    private func read(_ connection: Connection) throws {
        guard try connection.socket.receive(into: &connection.unread) else {
            connections.removeAll { $0 === connection }
            return
        }
        while let (request, length) = try BrokerRequest.first(in: connection.unread) {
            connection.unread.removeFirst(length)
            try take(request, from: connection, at: Clock.now())
        }
    }

    private func take(_ request: BrokerRequest, from connection: Connection, at now: Int64) throws {
        switch (request.method, request.target) {
        case ("POST", "/v2/orders"):
            let order = try order(request.body)
            let bytes = answer("200 OK", order.json)
            guard delay > 0 else {
                try connection.socket.send(bytes)
                arrivals.append(
                    BrokerArrival(clientOrderID: order.clientOrderID, arrivedAt: now, answeredAt: Clock.now()))
                return
            }
            waiting.append(
                DelayedAnswer(
                    due: now + delay, connection: connection, clientOrderID: order.clientOrderID, arrivedAt: now,
                    bytes: bytes))
            if waiting.count == 1 { try alarm.set(now + delay) }
        case ("GET", "/benchmark/arrivals"):
            try connection.socket.send(answer("200 OK", Array(arrivals.map(\.line).joined().utf8)))
        default:
            try connection.socket.send(
                answer("404 Not Found", Array(#"{"code":40410000,"message":"order not found"}"#.utf8)))
        }
    }

    private func answerDue() throws {
        while let next = waiting.first, next.due <= Clock.now() {
            waiting.removeFirst()
            try next.connection.socket.send(next.bytes)
            arrivals.append(
                BrokerArrival(clientOrderID: next.clientOrderID, arrivedAt: next.arrivedAt, answeredAt: Clock.now()))
        }
        try alarm.set(waiting.first?.due)
    }

    private func order(_ body: [UInt8]) throws -> BenchmarkOrder {
        let request = try JSONValue(parsing: body)
        // A number where the client writes one.
        guard let clientOrderID = request["client_order_id"]?.string, let symbol = request["symbol"]?.string,
            let side = request["side"]?.string, let quantity = request["qty"].map({ $0.string ?? $0.text })
        else { throw BenchmarkFailure("no order: \(request.text)") }
        return BenchmarkOrder(
            id: RandomUUID.text(), clientOrderID: clientOrderID, symbol: symbol, side: side, quantity: quantity,
            status: "filled", time: SystemClock().now().text)
    }

    private func answer(_ status: String, _ body: [UInt8]) -> [UInt8] {
        Array(
            "HTTP/1.1 \(status)\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: \(body.count)\r\n\r\n"
                .utf8) + body
    }
}
