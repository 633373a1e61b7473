import StrictJSON
import TradingCore
import ZeroMQMessaging

/// A subscriber whose subscriptions are known to be in force.
final class TopicListener {
    struct Message {
        let topic: String
        let message: JSONValue

        var isHeartbeat: Bool { topic.hasPrefix("heartbeat|") }

        /// Whether it is an outcome under the topic that is its own.
        func checkOutcome() throws(Deviation) {
            try MessageShape.check(message, "outcome")
            let words = [
                "outcome", message["strategy_name"]?.string ?? "", message["symbol"]?.string ?? "mleg",
                message["execution"]?["status"]?.string ?? "refused",
            ]
            let wanted = words.joined(separator: "|")
            try expect(topic == wanted, "topic \(wanted)", seen: topic)
        }
    }

    private let socket: ZeroMQSocket
    private let worker: WorkerUnderTest
    /// The heartbeat that showed that the subscriptions are in force.
    let firstHeartbeat: JSONValue
    /// How long it took to come after connecting.
    let waited: Microseconds

    /// Subscribes and waits for a heartbeat.
    /// - Parameter prefixes: Beginnings of topics, beside those of heartbeats.
    init(_ worker: WorkerUnderTest, _ prefixes: String...) throws(Deviation) {
        self.worker = worker
        let connected = worker.now
        let socket = try ownSocket { () throws(ZeroMQError) in
            let socket = try worker.open(.subscriber)
            try socket.setReceiveQueueMax(100_000)
            for prefix in prefixes + ["heartbeat|"] { try socket.subscribe(prefix) }
            try socket.connect(worker.outcomes)
            return socket
        }
        self.socket = socket
        let patience = max(worker.patience, Int(worker.heartbeatMax.millisecondsRoundedUp))
        var heartbeat: JSONValue?
        while heartbeat == nil {
            guard let message = try Self.next(socket, until: connected + .milliseconds(Int64(patience)), worker) else {
                throw .differs(expected: "a heartbeat each second", seen: "none in \(patience) ms")
            }
            if message.isHeartbeat { heartbeat = message.message }
        }
        firstHeartbeat = heartbeat ?? .null
        waited = worker.now - connected
    }

    /// The next message; nil when there is none until then.
    func next(until end: MonotonicTime) throws(Deviation) -> Message? { try Self.next(socket, until: end, worker) }

    private static func next(
        _ socket: ZeroMQSocket, until end: MonotonicTime, _ worker: WorkerUnderTest
    ) throws(Deviation) -> Message? {
        let frames = try ownSocket { () throws(ZeroMQError) -> [ZeroMQSocket.Frame]? in
            while true {
                let left = (end - worker.now).millisecondsRoundedUp
                guard left > 0 else { return nil }
                if try socket.waitUntilReadable(milliseconds: Int(left)) { return try socket.receiveMessage() }
            }
        }
        guard let frames else { return nil }
        guard frames.count == 2 else {
            throw .differs(expected: "two frames, topic and JSON", seen: "\(frames.count) frames")
        }
        return Message(
            topic: String(decoding: frames[0].bytes, as: UTF8.self), message: try JSONValue.object(frames[1].bytes))
    }

    /// The outcomes of some decisions, up to the last one's that is final. What comes twice counts once, as a
    /// subscriber's rule has it; every outcome heard must stand under its topic.
    func outcomes(of ids: [String], patience: Int) throws(Deviation) -> [JSONValue] {
        var missing = Set(ids)
        var heard: [JSONValue] = []
        var lastSeq: Int64 = 0
        let end = worker.now + .milliseconds(Int64(patience))
        while !missing.isEmpty {
            guard let message = try next(until: end) else {
                let names = missing.sorted().joined(separator: ", ")
                throw .differs(expected: "a final outcome within \(patience) ms", seen: "none of \(names)")
            }
            guard !message.isHeartbeat else { continue }
            try message.checkOutcome()
            let outcome = message.message
            guard let seq = outcome["seq"]?.integer, seq > lastSeq else { continue }
            lastSeq = seq
            guard let id = outcome["decision_id"]?.string, ids.contains(id) else { continue }
            heard.append(outcome)
            if outcome["final"] == true { missing.remove(id) }
        }
        return heard
    }

    /// What is published until a heartbeat tells of this `seq`.
    func outcomes(untilHeartbeatOf seq: Int64) throws(Deviation) -> [Message] {
        var heard: [Message] = []
        let end = worker.now + (.milliseconds(Int64(worker.patience)) + worker.heartbeatMax)
        while let message = try next(until: end) {
            guard message.isHeartbeat else {
                heard.append(message)
                continue
            }
            if (message.message["seq"]?.integer ?? 0) >= seq { return heard }
        }
        throw .differs(expected: "a heartbeat that tells of seq \(seq)", seen: "none")
    }

    /// A heartbeat that is as wanted.
    func heartbeat(_ what: String, _ isWanted: (JSONValue) -> Bool) throws(Deviation) -> JSONValue {
        let end = worker.now + .milliseconds(Int64(worker.patience))
        var last = "none"
        while let message = try next(until: end) {
            guard message.isHeartbeat else { continue }
            if isWanted(message.message) { return message.message }
            last = message.message.text
        }
        throw .differs(expected: "a heartbeat with \(what)", seen: last)
    }
}
