import Foundation
import OrderResolution
import TradeWorker
import TradingCore

/// The sockets between the worker and its clients. Messages may be lost, come twice, or overtake each other; a worker
/// that dies takes with it what it had not read.
final class SimulatedBus {
    typealias Reply = ([UInt8]) -> Void

    private struct Message {
        let body: [UInt8]
        let reply: Reply
    }

    private let time: VirtualTime
    private var chance: Chance
    var circumstances: Circumstances
    /// The life that listens; nil while none does.
    private var listener: Life?
    private var unread: [Message] = []
    private var awaitingListener: [Message] = []
    /// What was sent before the database was restored reaches nobody.
    private var era = 0
    /// Everybody who listens to the outcome topic.
    var subscribers: [SimulatedSubscriber] = []

    init(_ circumstances: Circumstances, seed: UInt64, time: VirtualTime) {
        self.circumstances = circumstances
        self.time = time
        chance = Chance(seed: seed, of: "bus")
    }

    // MARK: Clients

    func send(_ body: [UInt8], reply: @escaping Reply) {
        let message = Message(body: body, reply: reply)
        if chance.happens(circumstances.messageIsLost) { return }
        deliver(message)
        if chance.happens(circumstances.messageComesTwice) { deliver(message) }
    }

    private func deliver(_ message: Message) {
        time.after(delay) { [self] in
            if let listener, listener.isAlive {
                unread.append(message)
            } else if chance.happens(500) {
                awaitingListener.append(message)
            }
        }
    }

    private var delay: Microseconds {
        let isLong = chance.happens(circumstances.messageIsDelayed)
        return isLong ? chance.duration(upTo: .seconds(40)) : Microseconds(chance.number(50...3000))
    }

    // MARK: The worker

    func listen(_ life: Life) {
        listener = life
        unread = awaitingListener
        awaitingListener = []
    }

    func hangUp() {
        listener = nil
        unread = []
    }

    func forgetWhatIsOnItsWay() { era += 1 }

    fileprivate func read(_ life: Life) -> (body: [UInt8], reply: Reply)? {
        guard life.isAlive, !unread.isEmpty else { return nil }
        let message = unread.removeFirst()
        return (message.body, message.reply)
    }

    fileprivate func readAgain(_ body: [UInt8], _ reply: @escaping Reply) {
        unread.insert(Message(body: body, reply: reply), at: 0)
    }

    fileprivate func answer(_ body: [UInt8], _ reply: @escaping Reply) {
        if chance.happens(circumstances.messageIsLost) { return }
        let sent = era
        time.after(delay) { [self] in
            if sent == era { reply(body) }
        }
    }

    fileprivate func broadcast(_ topic: String, _ body: [UInt8]) {
        let sent = era
        for subscriber in subscribers {
            time.after(.milliseconds(1)) { [self] in
                if sent == era { subscriber.hears(topic, body) }
            }
        }
    }
}

/// The intake of one life.
struct LifeIntake: DecisionIntake {
    struct Envelope {
        let body: [UInt8]
        let reply: SimulatedBus.Reply
    }

    let bus: SimulatedBus
    let life: Life
    let bug: PlantedBug?

    func receive() throws(EdgeFault) -> IncomingMessage<Envelope>? {
        guard let (body, reply) = bus.read(life) else { return nil }
        if bug == .messageNeverEnds { bus.readAgain(body, reply) }
        if bug == .acknowledgesEarly { acknowledge(body, reply) }
        return IncomingMessage(envelope: Envelope(body: body, reply: reply), body: body, sender: nil)
    }

    func reply(_ body: [UInt8], to envelope: Envelope) throws(EdgeFault) {
        guard life.isAlive else { return }
        var body = body
        if bug == .replayLeavesOut { body = LifeIntake.withoutFirst(body) }
        bus.answer(body, envelope.reply)
    }

    private func acknowledge(_ body: [UInt8], _ reply: SimulatedBus.Reply) {
        guard case .success(.decision(let decision)) = RequestFrame.read(body) else { return }
        reply(
            Array(
                """
                {"v":1,"type":"ack","decision_id":"\(decision.id)","strategy_name":"\(decision.strategy)",\
                "status":"accepted","decision_seq":1000}
                """.utf8))
    }

    private static func withoutFirst(_ body: [UInt8]) -> [UInt8] {
        var text = String(decoding: body, as: UTF8.self)
        guard let start = text.range(of: #""outcomes":[{"#), let end = text.range(of: "},{") else { return body }
        text.removeSubrange(text.index(before: start.upperBound)...text.index(after: end.lowerBound))
        return Array(text.utf8)
    }
}

/// The outcome topic of one life.
struct LifeTopic: OutcomeTopic {
    let bus: SimulatedBus
    let ledger: Ledger
    let life: Life
    let bug: PlantedBug?

    func publish(topic: String, body: [UInt8]) throws(EdgeFault) {
        guard life.isAlive else { return }
        if topic.hasPrefix("outcome|") { ledger.isPublished(body) }
        bus.broadcast(topic, body)
        if bug == .endIsToldTwice, topic.hasPrefix("outcome|") {
            let text = String(decoding: body, as: UTF8.self)
            let again = text.replacing(#/"seq":([0-9]+)/#, maxReplacements: 1) { "\"seq\":\($0.1)0" }
            if text.contains(#""final":true"#) { ledger.isPublished(Array(again.utf8)) }
        }
    }
}
