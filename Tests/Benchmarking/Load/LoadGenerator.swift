import Glibc
import ZeroMQMessaging

/// Strategies and a subscriber in one thread: sends decisions as the shape says, and notes what comes back and when.
package final class LoadGenerator {
    private let strategies: Int
    private let publishers: [ZeroMQSocket]
    private let subscriber: ZeroMQSocket
    private let alarm: Alarm
    private var polled: [pollfd]

    /// So long without any message, and the rest of a run counts as lost.
    private static let patience: Int64 = 20_000_000_000
    /// So long after the last outcome something that comes twice would have come.
    private static let grace: Int64 = 100_000_000

    package init(intake: String, outcomes: String, strategies: Int) throws {
        self.strategies = strategies
        let context = try ZeroMQContext()
        publishers = try (0..<strategies).map { _ in
            let socket = try ZeroMQSocket(.dealer, in: context)
            try socket.setLinger(0)
            try socket.setSendQueueMax(0)
            try socket.setReceiveQueueMax(0)
            try socket.connect(intake)
            return socket
        }
        subscriber = try ZeroMQSocket(.subscriber, in: context)
        try subscriber.setLinger(0)
        try subscriber.setReceiveQueueMax(0)
        try subscriber.subscribe("outcome|")
        try subscriber.connect(outcomes)
        alarm = try Alarm()
        polled = try (publishers + [subscriber]).map {
            pollfd(fd: try $0.descriptor(), events: Int16(POLLIN), revents: 0)
        }
        polled.append(pollfd(fd: alarm.descriptor, events: Int16(POLLIN), revents: 0))
    }

    /// Sends decisions one at a time until outcomes are heard: a publisher sends nothing to whoever has not subscribed
    /// yet. Then so many more, so that caches and connections are warm.
    package func warmUp(_ count: Int) throws {
        let end = Clock.now() + LoadGenerator.patience
        var heard: RunRecord
        repeat {
            guard Clock.now() < end else { throw BenchmarkFailure("the worker's outcomes are not heard") }
            heard = try run(
                DecisionFrames(strategies: strategies, word: LoadGenerator.firstWord), count: 1, .backlog,
                patience: 200_000_000)
        } while heard.outcomes.isEmpty
        let rest = try run(
            DecisionFrames(strategies: strategies, word: LoadGenerator.warmUpWord), count: count, .closedLoop(window: 4)
        )
        guard rest.outcomes.count >= count else { throw BenchmarkFailure("the worker lost decisions while warming up") }
    }

    /// Whether an order is one of a warm-up.
    static func isWarmUp(_ clientOrderID: String) -> Bool {
        clientOrderID.contains(":\(firstWord)-") || clientOrderID.contains(":\(warmUpWord)-")
    }

    private static let (firstWord, warmUpWord) = ("first", "warm")

    /// Sends `count` decisions and waits for their outcomes.
    /// - Parameters:
    ///   - patience: In nanoseconds: so long without any message, and the rest counts as lost.
    ///   - atLastOutcome: Called as soon as the last outcome is there.
    package func run(
        _ frames: DecisionFrames, count: Int, _ shape: LoadShape, patience: Int64 = LoadGenerator.patience,
        atLastOutcome: () throws -> Void = {}
    ) throws -> RunRecord {
        let bodies = (0..<count).map(frames.body)
        var record = RunRecord()
        record.sent.reserveCapacity(count)
        record.acks.reserveCapacity(count)
        record.outcomes.reserveCapacity(count)
        let start = Clock.now()
        var lastHeard = start
        while record.outcomes.count < count {
            var isIdle = try !drain(into: &record)
            let now = Clock.now()
            if !isIdle { lastHeard = now }
            while let due = nextDue(record, count, shape, start, now), due <= now {
                let index = record.sent.count
                let sentAt = Clock.now()
                guard try publishers[frames.strategy(of: index)].send([bodies[index]]) == .sent else {
                    throw BenchmarkFailure("a decision could not be handed over")
                }
                record.sent.append(.init(name: frames.name(index), dueAt: due, sentAt: sentAt))
                isIdle = false
                lastHeard = sentAt
            }
            // A descriptor of ZeroMQ tells of a change only once, so nothing is slept over that was not drained.
            guard isIdle else { continue }
            let next = nextDue(record, count, shape, start, now)
            if next == nil, now - lastHeard > patience { return record }
            try sleep(until: min(next ?? .max, now + patience))
        }
        try atLastOutcome()
        let end = Clock.now() + min(LoadGenerator.grace, patience)
        while Clock.now() < end || record.acks.count < count && Clock.now() < lastHeard + patience {
            if try !drain(into: &record) { try sleep(until: end) }
        }
        return record
    }

    /// When the next decision is due; nil when there is none, or it waits for an outcome.
    private func nextDue(_ record: RunRecord, _ count: Int, _ shape: LoadShape, _ start: Int64, _ now: Int64) -> Int64?
    {
        let index = record.sent.count
        guard index < count else { return nil }
        if case .closedLoop(let window) = shape { return index - record.outcomes.count < window ? now : nil }
        return shape.dueOffset(of: index).map { start + $0 }
    }

    private func drain(into record: inout RunRecord) throws -> Bool {
        var hasHeard = false
        while let message = try subscriber.receiveMessage(), let body = message.last?.bytes {
            record.outcomes.append(.init(body: body, at: Clock.now()))
            hasHeard = true
        }
        for publisher in publishers {
            while let message = try publisher.receiveMessage(), let body = message.last?.bytes {
                record.acks.append(.init(body: body, at: Clock.now()))
                hasHeard = true
            }
        }
        return hasHeard
    }

    private func sleep(until moment: Int64) throws {
        try alarm.set(moment)
        if poll(&polled, nfds_t(polled.count), -1) < 0, errno != EINTR {
            throw BenchmarkFailure(system: "waiting for messages")
        }
    }
}
