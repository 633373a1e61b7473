import StrictJSON
import TradingCore
import ZeroMQMessaging

/// A socket at the intake, and what is said over it.
final class Conversation {
    /// How a client may speak.
    enum Kind: String, CaseIterable {
        case dealer = "DEALER"
        case delimitedDealer = "DEALER with an empty frame first"
        case request = "REQ"
        case correlatedRequest = "REQ with REQ_CORRELATE and REQ_RELAXED"
    }

    struct Answer {
        let envelope: [[UInt8]]
        let message: JSONValue
    }

    private let socket: ZeroMQSocket
    private let kind: Kind
    private let worker: WorkerUnderTest

    init(_ worker: WorkerUnderTest, _ kind: Kind = .dealer) throws(Deviation) {
        self.worker = worker
        self.kind = kind
        socket = try ownSocket { () throws(ZeroMQError) in
            let socket = try worker.open(kind == .dealer || kind == .delimitedDealer ? .dealer : .request)
            if kind == .correlatedRequest { try socket.setRequestCorrelated() }
            try socket.connect(worker.intake)
            return socket
        }
    }

    func send(_ body: [UInt8], envelope: [[UInt8]] = []) throws(Deviation) {
        let frames = (kind == .delimitedDealer ? [[]] : envelope) + [body]
        let result = try ownSocket { () throws(ZeroMQError) in try socket.send(frames) }
        try expect(result == .sent, "room for a message", seen: "none after many that were not read")
    }

    func receive(after asked: String) throws(Deviation) -> Answer {
        let frames = try ownSocket { () throws(ZeroMQError) -> [ZeroMQSocket.Frame]? in
            guard try socket.waitUntilReadable(milliseconds: worker.patience) else { return nil }
            return try socket.receiveMessage(framesMax: 16)
        }
        guard let frames, let body = frames.last?.bytes else {
            throw .differs(expected: "an answer within \(worker.patience) ms", seen: "none to \(asked)")
        }
        var envelope = frames.dropLast().map(\.bytes)
        if kind == .delimitedDealer {
            try expect(envelope == [[]], "the empty frame back before the answer", seen: "\(envelope)")
            envelope = []
        }
        return Answer(envelope: envelope, message: try JSONValue.object(body))
    }

    /// Sends a body and gives the answer.
    func ask(_ body: [UInt8], envelope: [[UInt8]] = []) throws(Deviation) -> Answer {
        try send(body, envelope: envelope)
        return try receive(after: Shown.text(body))
    }

    /// Sends a body and gives the answer's message.
    func ask(_ body: String) throws(Deviation) -> JSONValue { try ask(Array(body.utf8)).message }
}

/// A failure of our own socket is told as what it is.
func ownSocket<Result>(_ body: () throws(ZeroMQError) -> Result) throws(Deviation) -> Result {
    do throws(ZeroMQError) {
        return try body()
    } catch {
        throw .differs(expected: "a socket that works", seen: "\(error)")
    }
}

extension JSONValue {
    /// Reads what must be one JSON object.
    static func object(_ bytes: [UInt8]) throws(Deviation) -> JSONValue {
        do throws(JSONError) {
            let value = try JSONValue(parsing: bytes)
            if value.members != nil { return value }
        } catch {
            throw .differs(expected: "one JSON object", seen: "\(Shown.text(bytes)): \(error)")
        }
        throw .differs(expected: "one JSON object", seen: Shown.text(bytes))
    }
}

/// Bytes for a person to read.
enum Shown {
    /// The beginning of them; what is not UTF-8 is replaced.
    static func text(_ bytes: [UInt8]) -> String {
        guard !bytes.isEmpty else { return "an empty frame" }
        let limit = 200
        return String(decoding: bytes.prefix(limit), as: UTF8.self) + (bytes.count > limit ? "…" : "")
    }
}
