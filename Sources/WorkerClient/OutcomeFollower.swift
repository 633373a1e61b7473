package import StrictJSON
package import ZeroMQMessaging

/// What a subscriber does with counters: keeps the last, drops what is not newer, and asks for what it missed.
package struct GapDetection: Equatable, Sendable {
    package enum Step: Equatable, Sendable {
        case take
        /// Seen before.
        case drop
        /// Something in between was missed: it is asked for, from after the last that was seen.
        case replay(after: Int64)
    }

    /// The last counter seen.
    package private(set) var last: Int64

    package init(last: Int64) {
        self.last = last
    }

    /// An outcome with this counter came.
    package mutating func sees(_ counter: Int64) -> Step {
        if counter <= last { return .drop }
        guard counter == last + 1 else { return .replay(after: last) }
        last = counter
        return .take
    }

    /// A heartbeat says that this counter was given out.
    package func hears(_ counter: Int64) -> Step {
        counter > last ? .replay(after: last) : .drop
    }
}

/// Follows a worker's outcome topic without missing any: what does not come live is asked for again.
package final class OutcomeFollower {
    /// Something that was heard.
    package enum Event {
        /// An outcome, each once and in order.
        case outcome(JSONValue)
        case heartbeat(JSONValue)
        /// Outcomes were missed; those follow now.
        case gap(after: Int64)
        /// All that was missed has come: so many.
        case caughtUp(Int)
        /// The worker did not tell what was missed. It is asked again some seconds later.
        case replayUnanswered
        /// The worker has another database: counting starts anew.
        case newStream(String)
    }

    private let subscription: ZeroMQSocket
    private let intake: IntakeClient
    private let strategy: String?
    private var detection: GapDetection?
    /// The database whose numbers the outcomes have now. One that was restored from a copy tells outcomes that name the
    /// stream before.
    package private(set) var stream: String?
    private var events: ArraySlice<Event> = []
    /// What is asked for; nil while nothing is known to be missing.
    private var replay: Replay?
    /// Until then a worker that did not tell what was missed is left alone.
    private var restsUntil = ContinuousClock.now
    /// What came live while something before it was asked for.
    private var early: [JSONValue] = []
    /// How many outcomes came by the replay that is under way.
    private var caughtUp = 0
    /// How many outcomes came by replay and not live.
    package private(set) var replayedCount: Int64 = 0

    /// A page of outcomes that were missed.
    private struct Replay {
        /// It begins after this counter.
        let after: Int64
        let endsAt = ContinuousClock.now + OutcomeFollower.replayPatience
        /// When it is asked for, first and again.
        var sendsAt = ContinuousClock.now
    }

    /// So long a page is waited for, and so long is the rest after one that did not come.
    private static let replayPatience = Duration.seconds(5)
    /// So long at most the topic is not listened to while a page is waited for.
    private static let turnMilliseconds = 20
    /// More of what came live early is not kept: it is asked for.
    private static let earlyMax = 1000

    /// - Parameters:
    ///   - keys: For endpoints that are guarded by keys.
    ///   - strategy: The one strategy to follow; nil for all.
    ///   - after: The last counter that is known already (`strategy_seq` with a strategy, else `seq`); nil to begin with
    ///     what comes next.
    ///   - stream: The database that `after` belongs to, where it is known: another one is then noticed at once.
    ///   - queueMax: How many messages may wait to be taken. What comes on top is lost, and asked for again.
    package init(
        outcomes: String, intake: String, keys: ClientKeys? = nil, strategy: String?, after: Int64?,
        stream: String? = nil, queueMax: Int32 = 100_000, in context: ZeroMQContext
    ) throws(ZeroMQError) {
        self.strategy = strategy
        self.stream = stream
        self.intake = try IntakeClient(intake, keys: keys, sendQueueMax: 8, in: context)
        detection = after.map(GapDetection.init(last:))
        subscription = try ZeroMQSocket(.subscriber, in: context)
        try subscription.setLinger(0)
        try subscription.setReceiveQueueMax(queueMax)
        try subscription.subscribe(strategy.map { "outcome|\($0)|" } ?? "outcome|")
        try subscription.subscribe("heartbeat|")
        if let keys { try subscription.setKeys(keys) }
        try subscription.connect(outcomes)
    }

    /// The next thing heard; nil when nothing was within the time. What was missed is asked for meanwhile, and what comes
    /// live is heard when it comes, however long the answer takes.
    package func next(milliseconds: Int) throws(ZeroMQError) -> Event? {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while events.isEmpty {
            let left = ContinuousClock.now.milliseconds(until: end)
            if replay == nil {
                try listen(left)
            } else {
                try listenToAllThatWaits()
                try catchUp(events.isEmpty ? min(left, OutcomeFollower.turnMilliseconds) : 0)
            }
            if left == 0 { break }
        }
        let event = events.popFirst()
        // Lets go of what was taken.
        if events.isEmpty { events = [] }
        return event
    }

    private func listenToAllThatWaits() throws(ZeroMQError) {
        var count = 0
        while count < OutcomeFollower.earlyMax, try subscription.waitUntilReadable(milliseconds: 0) {
            try listen(0)
            count += 1
        }
    }

    private func listen(_ milliseconds: Int) throws(ZeroMQError) {
        guard try subscription.waitUntilReadable(milliseconds: milliseconds),
            let frames = try subscription.receiveMessage(), let body = frames.last?.bytes,
            let message = try? JSONValue(parsing: body)
        else { return }
        notice(stream: message["stream"]?.string)
        switch message["type"]?.string {
        case "outcome":
            takeLive(message)
        case "heartbeat":
            events.append(.heartbeat(message))
            guard let given = strategy.map({ message["strategies"]?[$0]?.integer ?? 0 }) ?? message["seq"]?.integer
            else { return }
            if detection == nil { detection = GapDetection(last: given) }
            if case .replay(let after)? = detection?.hears(given) { beginReplay(after: after) }
        default: break
        }
    }

    private func takeLive(_ outcome: JSONValue) {
        guard let counter = counter(of: outcome), counter > 0 else { return }
        guard replay == nil else {
            if early.count == OutcomeFollower.earlyMax { early = [] }
            return early.append(outcome)
        }
        var detection = detection ?? GapDetection(last: counter - 1)
        switch detection.sees(counter) {
        case .take: events.append(.outcome(outcome))
        case .drop: break
        case .replay(let after): beginReplay(after: after)
        }
        self.detection = detection
    }

    private func notice(stream new: String?) {
        guard let new, new != stream else { return }
        if stream != nil {
            detection = GapDetection(last: 0)
            endReplay()
            restsUntil = .now
            events.append(.newStream(new))
        }
        stream = new
    }

    private func counter(of outcome: JSONValue) -> Int64? {
        outcome[strategy == nil ? "seq" : "strategy_seq"]?.integer
    }

    private func beginReplay(after counter: Int64) {
        guard replay == nil, ContinuousClock.now >= restsUntil else { return }
        events.append(.gap(after: counter))
        replay = Replay(after: counter)
        caughtUp = 0
    }

    private func endReplay() {
        replay = nil
        early = []
    }

    /// Asks for what was missed, a page at a time, so that a long history never lies in memory whole. What is left out when
    /// the worker does not answer is noticed again at a later heartbeat.
    private func catchUp(_ milliseconds: Int) throws(ZeroMQError) {
        guard let replay else { return }
        let now = ContinuousClock.now
        if now >= replay.endsAt { return giveUp() }
        if now >= replay.sendsAt {
            try intake.send(request(after: replay.after))
            self.replay?.sendsAt = now + .milliseconds(IntakeClient.resendAfterMilliseconds)
        }
        // Others are late ones of pages before.
        guard let answer = try intake.receive(milliseconds: milliseconds), answer["type"]?.string == "replay",
            answer["after"]?.integer == replay.after
        else { return }
        // Of another database, which the next message tells of.
        guard answer["stream"]?.string == stream, let outcomes = answer["outcomes"]?.array else { return giveUp() }
        take(outcomes, after: replay.after, isLast: answer["more"]?.bool != true)
    }

    private func giveUp() {
        endReplay()
        restsUntil = .now + OutcomeFollower.replayPatience
        events.append(.replayUnanswered)
    }

    private func request(after counter: Int64) -> [UInt8] {
        var request = JSONWriter()
        request.object { writer in
            writer.member("v", 1)
            writer.member("type", "replay")
            if let strategy { writer.member("strategy_name", strategy) }
            writer.member("after", counter)
            writer.member("limit", 500)
        }
        return request.bytes
    }

    private func take(_ outcomes: [JSONValue], after: Int64, isLast: Bool) {
        var detection = GapDetection(last: after)
        for outcome in outcomes {
            guard let counter = self.counter(of: outcome), detection.sees(counter) == .take else { continue }
            replayedCount += 1
            caughtUp += 1
            events.append(.outcome(outcome))
        }
        self.detection = detection
        if !isLast, detection.last > after {
            replay = Replay(after: detection.last)
            return
        }
        events.append(.caughtUp(caughtUp))
        let early = early
        endReplay()
        for outcome in early { takeLive(outcome) }
    }
}
