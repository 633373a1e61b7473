import Foundation

public let defaultIntake = "tcp://127.0.0.1:5555"
public let defaultOutcomes = "tcp://127.0.0.1:5556"

/// How long to wait for an answer before the same bytes are sent again.
let acknowledgementWait: Duration = .seconds(2)

/// A connection to the worker's intake.
final class Intake {
    private let endpoint: String
    private let keys: CurveKeys?
    private var socket: Socket?

    init(_ endpoint: String, _ keys: CurveKeys?) {
        self.endpoint = endpoint
        self.keys = keys
    }

    func ask(_ request: JSON, _ type: String, timeout: Duration?) throws(ClientError) -> JSON {
        let body = try request.text()
        let end = timeout.map { ContinuousClock.now + $0 }
        while true {
            let left = end.map { $0 - ContinuousClock.now } ?? acknowledgementWait
            guard left > .zero else { throw .noAnswer }
            guard let answer = try attempt(body, min(left, acknowledgementWait)) else { continue }
            if answer["type"]?.string == "ack", answer["status"]?.string == "refused" { throw .refused(answer) }
            guard answer["type"]?.string == type else { throw .unreadable("asked for \(type), got \(answer)") }
            return answer
        }
    }

    private func attempt(_ body: Data, _ wait: Duration) throws(ClientError) -> JSON? {
        // Taken out, so that after an error, or without an answer, it is closed: a late answer goes nowhere, and can't
        // be taken for that to another question.
        let socket = if let open = self.socket { open } else { try Socket(.dealer, endpoint, keys) }
        self.socket = nil
        try socket.send(body)
        guard let answer = try socket.receive(within: wait) else { return nil }
        self.socket = socket
        return answer
    }
}
