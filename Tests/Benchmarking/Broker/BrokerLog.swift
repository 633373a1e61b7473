/// A request for an order as the broker saw it.
package struct BrokerArrival: Equatable, Sendable {
    package let clientOrderID: String
    /// When the whole request had been read, in nanoseconds of `Clock.now()`.
    package let arrivedAt: Int64
    /// When the answer was handed to the socket.
    package let answeredAt: Int64

    package init(clientOrderID: String, arrivedAt: Int64, answeredAt: Int64) {
        self.clientOrderID = clientOrderID
        self.arrivedAt = arrivedAt
        self.answeredAt = answeredAt
    }

    /// Its line in the broker's log.
    var line: String { "\(arrivedAt) \(answeredAt) \(clientOrderID)\n" }

    /// Reads a line of the log.
    init?(line: Substring) {
        let words = line.split(separator: " ")
        guard words.count == 3, let arrivedAt = Int64(words[0]), let answeredAt = Int64(words[1]) else { return nil }
        self.init(clientOrderID: String(words[2]), arrivedAt: arrivedAt, answeredAt: answeredAt)
    }
}
