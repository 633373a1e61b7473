import HostSystem
import StrictJSON
import ZeroMQMessaging

/// What the two connections of a worker cost.
package enum NetworkFloor {
    /// - Parameters:
    ///   - program: This program, which has commands for the other sides.
    ///   - seconds: How long each piece is measured.
    package static func measure(program: String, seconds: Double) throws -> [FloorPiece] {
        [try exchanging(program, seconds), try sending(program, seconds)]
    }

    private static func exchanging(_ program: String, _ seconds: Double) throws -> FloorPiece {
        let broker = try BrokerProcess(program: program, delayMilliseconds: 0)
        defer { broker.stop() }
        let client = try BrokerClient(port: broker.port)
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("symbol", "AAPL")
            writer.member("qty", "10")
            writer.member("side", "buy")
            writer.member("type", "market")
            writer.member("time_in_force", "day")
            writer.member("client_order_id", "bench-1:floor-\(RandomUUID.text())")
        }
        return try FloorPiece.measure(.httpExchange, seconds: seconds) {
            _ = try client.exchange("POST", "/v2/orders", body: writer.bytes)
        }
    }

    private static func sending(_ program: String, _ seconds: Double) throws -> FloorPiece {
        let echo = try ChildProcess(program, ["echo"])
        defer { echo.stop() }
        guard let endpoint = try echo.readLine(milliseconds: 10_000) else {
            throw BenchmarkFailure("the echo did not get ready")
        }
        let context = try ZeroMQContext()
        let dealer = try ZeroMQSocket(.dealer, in: context)
        try dealer.setLinger(0)
        try dealer.connect(endpoint)
        let body = DecisionFrames(strategies: 1, word: "floor").body(0)
        return try FloorPiece.measure(.zeroMQRoundTrip, seconds: seconds) {
            _ = try dealer.send([body])
            guard try dealer.receiveMessage(wait: true) != nil else { throw BenchmarkFailure("no echo came") }
        }
    }

    /// The other side of the ZeroMQ round trip: answers every message with the first 160 bytes of it, an
    /// acknowledgement's size, until the process that started this one has ended.
    package static func echo(ready: (String) -> Void, isWanted: () -> Bool) throws {
        let context = try ZeroMQContext()
        let router = try ZeroMQSocket(.router, in: context)
        try router.setReceiveTimeout(1000)
        ready(try router.bind("tcp://127.0.0.1:*"))
        while isWanted() {
            guard let message = try router.receiveMessage(wait: true), let body = message.last?.bytes else { continue }
            _ = try router.send(message.dropLast().map(\.bytes) + [Array(body.prefix(160))])
        }
    }
}
