import Foundation
import HostSystem
import StrictJSON
import Synchronization
import TestKit
import TradingCore
import ZeroMQMessaging

/// What stands between clients and a worker, passes everything on, and spoils one thing.
final class FaultyBus {
    enum Fault: CaseIterable {
        /// Passes all on as it came.
        case none
        case answersNothing
        case losesEnvelopes
        case answersWithoutJSON
        case acceptsEverything
        case forgetsDuplicates
        case losesSequenceNumbers
        case hidesMorePages
        case reversesReplays
        case losesOutcomes
        case cutsTopics
        case mixesStrategies
        case changesOutcomes
        case addsFrames
        case losesHeartbeats
        case slowsHeartbeats
        case delaysCounters
        case namesOtherStreams
    }

    let intake: String
    let outcomes: String
    private let isStopped = Flag()
    private let thread: Thread
    private let ended = DispatchSemaphore(value: 0)

    /// Binds both endpoints and serves until it is gone.
    init(before worker: RunningWorker, _ fault: Fault) throws {
        let relay = try Relay(worker.intake, worker.outcomes, fault)
        intake = relay.intake
        outcomes = relay.outcomes
        let (isStopped, ended) = (isStopped, ended)
        let handed = Handed(relay)
        thread = Thread {
            while !isStopped.value { handed.relay.pass() }
            handed.drop()
            ended.signal()
        }
        thread.start()
    }

    deinit {
        isStopped.set()
        ended.wait()
    }
}

private final class Flag: Sendable {
    private let atomic = Atomic<Bool>(false)
    var value: Bool { atomic.load(ordering: .acquiring) }
    func set() { atomic.store(true, ordering: .releasing) }
}

/// Sockets that are handed to the one thread that uses them from then on.
private final class Handed: @unchecked Sendable {
    private var held: Relay?
    var relay: Relay {
        guard let held else { preconditionFailure("it has been dropped") }
        return held
    }

    init(_ relay: Relay) { held = relay }
    func drop() { held = nil }
}

private final class Relay {
    let intake: String
    let outcomes: String
    private let fault: FaultyBus.Fault
    private let front: ZeroMQSocket
    private let back: ZeroMQSocket
    private let subscriber: ZeroMQSocket
    private let publisher: ZeroMQSocket
    /// Who asked, with the envelope, under the number that the worker echoes.
    private var askers: [String: [[UInt8]]] = [:]
    private var askedCount = 0
    private var count = 0

    init(_ workerIntake: String, _ workerOutcomes: String, _ fault: FaultyBus.Fault) throws {
        self.fault = fault
        let context = try ZeroMQContext()
        front = try ZeroMQSocket(.router, in: context)
        back = try ZeroMQSocket(.dealer, in: context)
        subscriber = try ZeroMQSocket(.subscriber, in: context)
        publisher = try ZeroMQSocket(.extendedPublisher, in: context)
        for socket in [front, back, subscriber, publisher] { try socket.setLinger(0) }
        intake = try front.bind("tcp://127.0.0.1:*")
        outcomes = try publisher.bind("tcp://127.0.0.1:*")
        try back.connect(workerIntake)
        try subscriber.subscribe("")
        try subscriber.connect(workerOutcomes)
    }

    /// Passes on what waits, or sleeps a millisecond.
    func pass() {
        do {
            var isIdle = true
            while let frames = try front.receiveMessage(framesMax: 16) {
                isIdle = false
                try ask(frames.map(\.bytes))
            }
            while let frames = try back.receiveMessage(framesMax: 16) {
                isIdle = false
                try answer(frames.map(\.bytes))
            }
            while let frames = try subscriber.receiveMessage() {
                isIdle = false
                try publish(frames.map(\.bytes))
            }
            while try publisher.receive() != nil {}
            if isIdle { usleep(1000) }
        } catch {
            preconditionFailure("the relay's own sockets work: \(error)")
        }
    }

    /// The worker shall see one frame of envelope, and too many where there are too many.
    private func ask(_ frames: [[UInt8]]) throws {
        if fault == .answersNothing { return }
        askedCount += 1
        let key = "\(askedCount)"
        askers[key] = frames.dropLast()
        let isTooLong = frames.count > 9
        _ = try back.send([Array(key.utf8)] + (isTooLong ? Array(repeating: [], count: 7) : []) + frames.suffix(1))
    }

    private func answer(_ frames: [[UInt8]]) throws {
        guard let key = frames.first, let body = frames.last,
            var envelope = askers.removeValue(forKey: String(decoding: key, as: UTF8.self))
        else { return }
        if fault == .losesEnvelopes { envelope = Array(envelope.prefix(1)) }
        _ = try front.send(envelope + [fault == .answersWithoutJSON ? Array("OK".utf8) : spoiledAnswer(body)])
    }

    private func spoiledAnswer(_ body: [UInt8]) -> [UInt8] {
        guard let message = try? JSONValue(parsing: body) else { return body }
        switch fault {
        case .acceptsEverything where message["status"] == "refused":
            return Array(
                message.with("status", "accepted").with("duplicate", false).with("decision_seq", 1)
                    .with("stream", "0123456789abcdef").text.utf8)
        case .forgetsDuplicates where message["duplicate"] == true:
            return Array(message.with("duplicate", false).text.utf8)
        case .losesSequenceNumbers where message["decision_seq"] != nil:
            return Array(message.with("decision_seq", nil).text.utf8)
        case .hidesMorePages where message["more"] == true:
            return Array(message.with("more", false).text.utf8)
        case .reversesReplays where message["type"] == "replay":
            return Array(message.with("outcomes", .array((message["outcomes"]?.array ?? []).reversed())).text.utf8)
        default: return body
        }
    }

    private func publish(_ frames: [[UInt8]]) throws {
        count += 1
        var topic = String(decoding: frames[0], as: UTF8.self)
        guard var message = try? JSONValue(parsing: frames[1]) else { return }
        let isHeartbeat = topic.hasPrefix("heartbeat")
        switch fault {
        case .losesOutcomes where !isHeartbeat && count.isMultiple(of: 2): return
        case .losesHeartbeats where isHeartbeat: return
        case .slowsHeartbeats where isHeartbeat && !count.isMultiple(of: 4): return
        case .cutsTopics where !isHeartbeat: topic = topic.split(separator: "|").dropLast().joined(separator: "|") + "|"
        case .mixesStrategies: topic = topic.replacing("|conformance-2|", with: "|conformance|")
        case .changesOutcomes where !isHeartbeat: message = message.with("reason", "halted")
        case .delaysCounters where isHeartbeat: message = message.with("strategies", .object([]))
        case .namesOtherStreams where isHeartbeat: message = message.with("stream", "0123456789abcdef")
        default: break
        }
        let more: [[UInt8]] = fault == .addsFrames && !isHeartbeat ? [[]] : []
        _ = try publisher.send([Array(topic.utf8), Array(message.text.utf8)] + more)
    }
}

extension JSONValue {
    /// The object with one member changed, or without it.
    fileprivate func with(_ key: String, _ value: JSONValue?) -> JSONValue {
        let others = (members ?? []).filter { $0.key != key }
        return .object(others + (value.map { [Member(key, $0)] } ?? []))
    }
}
