import StrictJSON
import TradingCore
import ZeroMQMessaging

/// A subscriber whose subscriptions are known to be in force.
final class TopicListener {
    struct Message {
        let topic: String
        let message: JSONValue
    }

    private let socket: ZeroMQSocket
    private let worker: WorkerUnderTest
    /// The heartbeat that showed that the subscriptions are in force.
    let firstHeartbeat: JSONValue
    /// How long it took to come after connecting.
    let waited: Microseconds

    /// A heartbeat comes each second, and a subscription needs a moment.
    static let heartbeatMax = Microseconds.seconds(2)

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
        let patience = max(worker.patience, Int(Self.heartbeatMax.millisecondsRoundedUp))
        var heartbeat: JSONValue?
        while heartbeat == nil {
            guard let message = try Self.next(socket, until: connected + .milliseconds(Int64(patience)), worker) else {
                throw .differs(expected: "a heartbeat each second", seen: "none in \(patience) ms")
            }
            if message.topic.hasPrefix("heartbeat|") { heartbeat = message.message }
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

    /// The outcomes of some decisions, up to the last one's that is final.
    func outcomes(of ids: [String], patience: Int) throws(Deviation) -> [Message] {
        var missing = Set(ids)
        var heard: [Message] = []
        let end = worker.now + .milliseconds(Int64(patience))
        while !missing.isEmpty {
            guard let message = try next(until: end) else {
                throw .differs(
                    expected: "a final outcome within \(patience) ms",
                    seen: "none of \(missing.sorted().joined(separator: ", "))")
            }
            guard let id = message.message["decision_id"]?.string, ids.contains(id) else { continue }
            heard.append(message)
            if message.message["final"] == true { missing.remove(id) }
        }
        return heard
    }

    /// A heartbeat that is as wanted.
    func heartbeat(_ what: String, _ isWanted: (JSONValue) -> Bool) throws(Deviation) -> JSONValue {
        let end = worker.now + .milliseconds(Int64(worker.patience))
        var last = "none"
        while let message = try next(until: end) {
            guard message.topic.hasPrefix("heartbeat|") else { continue }
            if isWanted(message.message) { return message.message }
            last = message.message.text
        }
        throw .differs(expected: "a heartbeat with \(what)", seen: last)
    }
}
