import HostSystem
import TradingCore
package import ZeroMQMessaging

/// Stands in for a worker before a client: binds both endpoints, and lets the scripts decide what is said.
package final class StandIn {
    /// The endpoints that are bound, with the ports that wildcards stood for.
    package let intake: String
    package let outcomes: String
    private let router: ZeroMQSocket
    private let topic: ZeroMQSocket
    private let clock = SystemClock()
    private var publisher: PublisherScript
    private var subscriber: SubscriberScript

    /// - Parameter patience: How long the client may take beyond what the contract says, in milliseconds.
    package init(intake: String, outcomes: String, patience: Int) throws(ZeroMQError) {
        let context = try ZeroMQContext()
        router = try ZeroMQSocket(.router, in: context)
        topic = try ZeroMQSocket(.extendedPublisher, in: context)
        for socket in [router, topic] { try socket.setLinger(1000) }
        self.intake = try router.bind(intake)
        self.outcomes = try topic.bind(outcomes)
        publisher = PublisherScript(patience: .milliseconds(Int64(patience)))
        subscriber = SubscriberScript(patience: .milliseconds(Int64(patience)))
    }

    /// Whether any client has come.
    package var hasBegun: Bool { publisher.hasBegun || subscriber.hasBegun }

    /// Whether there is nothing more to see. Who publishes may subscribe too, and the other way round.
    package var isDone: Bool {
        guard let begunAt else { return false }
        let isJoined = clock.monotonic() - begunAt > Self.joiningMax
        return (publisher.hasBegun ? publisher.isDone : isJoined)
            && (subscriber.hasBegun ? subscriber.isDone : isJoined)
    }

    private var begunAt: MonotonicTime?
    /// How long the other half of a client may take to come.
    private static let joiningMax = Microseconds.seconds(5)

    /// Answers and publishes what is due, or waits a moment.
    /// - Parameter lines: What the client has printed since.
    /// - Returns: What has been found since.
    package func turn(printed lines: [[UInt8]]) throws(ZeroMQError) -> [Finding] {
        for line in lines { subscriber.printed(line) }
        _ = try router.waitUntilReadable(milliseconds: 10)
        while let frames = try router.receiveMessage(framesMax: IntakeSocket.framesMax + 1) {
            guard let body = frames.last?.bytes else { continue }
            let envelope = frames.dropLast().map(\.bytes)
            for answer in answers(to: body, from: envelope, at: clock.monotonic()) {
                _ = try router.send(answer.envelope + [answer.body])
            }
        }
        while let frame = try topic.receive() {
            guard frame.bytes.first == 1 else { continue }
            subscriber.subscribed(String(decoding: frame.bytes.dropFirst(), as: UTF8.self), at: clock.monotonic())
        }
        let now = clock.monotonic()
        if hasBegun, begunAt == nil { begunAt = now }
        publisher.tick(at: now)
        for publication in subscriber.tick(at: now) {
            _ = try topic.send([Array(publication.topic.utf8), publication.body])
        }
        return publisher.tellFindings() + subscriber.tellFindings()
    }

    /// Ends what cannot be seen any more.
    package func finish() -> [Finding] {
        publisher.finish()
        subscriber.finish()
        return publisher.tellFindings() + subscriber.tellFindings()
    }

    private func answers(
        to body: [UInt8], from envelope: [[UInt8]], at now: MonotonicTime
    ) -> [PublisherScript.Answer] {
        func answer(_ body: [UInt8]) -> [PublisherScript.Answer] { [.init(envelope: envelope, body: body)] }
        return switch RequestFrame.read(body) {
        case .success(.replay(let request)): answer(subscriber.replay(request, at: now))
        case .success(.status): answer(subscriber.status)
        case .success(.ping): answer(subscriber.pong)
        case .success(.reconcile): answer(subscriber.reconcile)
        case .success(.decision(let decision)): publisher.take(.success(decision), body, from: envelope, at: now)
        case .failure(let refused): publisher.take(.failure(refused), body, from: envelope, at: now)
        }
    }
}
