import HostSystem
import TradingCore
package import ZeroMQMessaging

/// The worker, or what stands between us and it, that is checked.
package final class WorkerUnderTest {
    /// An order that is sent where orders may be placed: a small limit order that is filled or cancelled at once.
    package struct SampleOrder: Equatable, Sendable {
        package let symbol: String
        /// Decimal text.
        package let quantity: String
        /// Decimal text, far from the market, so that it is not filled.
        package let limitPrice: String

        package init(symbol: String, quantity: String, limitPrice: String) {
            self.symbol = symbol
            self.quantity = quantity
            self.limitPrice = limitPrice
        }
    }

    let intake: String
    let outcomes: String
    private let keys: ClientKeys?
    /// How long an answer may take, in milliseconds.
    let patience: Int
    /// How long a heartbeat may take: 2 s, or more where answers may take more than the usual 5 s.
    let heartbeatMax: Microseconds
    /// Nil where no order may be placed.
    let sampleOrder: SampleOrder?
    /// Whether golden frames that place orders are sent.
    let placesGoldenOrders: Bool
    /// Characters that no other run has, for ids that are used once for ever.
    let unique: String
    private let context: ZeroMQContext
    private let clock = SystemClock()
    private var decisionCount = 0

    /// - Parameters:
    ///   - keys: For endpoints that are guarded by keys.
    ///   - patience: How long an answer may take, in milliseconds.
    ///   - sampleOrder: What is ordered; nil to place no order.
    ///   - placesGoldenOrders: Whether golden frames that place orders are sent: market orders, brackets and others.
    package init(
        intake: String, outcomes: String, keys: ClientKeys? = nil, patience: Int, sampleOrder: SampleOrder?,
        placesGoldenOrders: Bool
    ) throws(ZeroMQError) {
        self.intake = intake
        self.outcomes = outcomes
        self.keys = keys
        self.patience = patience
        heartbeatMax = max(.seconds(2), .milliseconds(Int64(patience) * 2 / 5))
        self.sampleOrder = sampleOrder
        self.placesGoldenOrders = placesGoldenOrders
        unique = Unique.text()
        context = try ZeroMQContext()
    }

    var now: MonotonicTime { clock.monotonic() }

    /// Opens a socket that knows how to get in; it is not connected yet.
    func open(_ kind: ZeroMQSocket.Kind) throws(ZeroMQError) -> ZeroMQSocket {
        let socket = try ZeroMQSocket(kind, in: context)
        try socket.setLinger(0)
        if let keys { try socket.setKeys(keys) }
        return socket
    }

    /// An id that no decision had before.
    func newID() -> String {
        decisionCount += 1
        return "\(unique)-\(decisionCount)"
    }
}

/// Characters that no other run has.
enum Unique {
    static func text() -> String {
        let characters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<GoldenFrame.uniqueCount).map { _ in characters[Int.random(in: characters.indices)] })
    }
}
