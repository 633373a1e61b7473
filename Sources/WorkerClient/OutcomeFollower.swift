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
        /// The worker did not tell what was missed. It is asked again at its next heartbeat.
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
    /// After which counter outcomes are asked for next; nil while none are known to be missing.
    private var replaysAfter: Int64?
    /// How many outcomes came by the replay that is under way.
    private var caughtUp = 0
    /// How many outcomes came by replay and not live.
    package private(set) var replayedCount: Int64 = 0

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
        self.intake = try IntakeClient(intake, keys: keys, in: context)
        detection = after.map(GapDetection.init(last:))
        subscription = try ZeroMQSocket(.subscriber, in: context)
        try subscription.setLinger(0)
        try subscription.setReceiveQueueMax(queueMax)
        try subscription.subscribe(strategy.map { "outcome|\($0)|" } ?? "outcome|")
        try subscription.subscribe("heartbeat|")
        if let keys { try subscription.setKeys(keys) }
        try subscription.connect(outcomes)
    }

    /// The next thing heard; nil when nothing was within the time.
    package func next(milliseconds: Int) throws(ZeroMQError) -> Event? {
        if events.isEmpty, let after = replaysAfter { try replayPage(after: after) }
        if events.isEmpty { try listen(milliseconds) }
        let event = events.popFirst()
        // Lets go of what was taken.
        if events.isEmpty { events = [] }
        return event
    }

    private func listen(_ milliseconds: Int) throws(ZeroMQError) {
        guard try subscription.waitUntilReadable(milliseconds: milliseconds),
            let frames = try subscription.receiveMessage(), let body = frames.last?.bytes,
            let message = try? JSONValue(parsing: body)
        else { return }
        notice(stream: message["stream"]?.string)
        switch message["type"]?.string {
        case "outcome":
            guard let counter = counter(of: message) else { return }
            var detection = detection ?? GapDetection(last: counter - 1)
            switch detection.sees(counter) {
            case .take: events.append(.outcome(message))
            case .drop: break
            case .replay(let after): beginReplay(after: after)
            }
            self.detection = detection
        case "heartbeat":
            events.append(.heartbeat(message))
            guard let given = strategy.map({ message["strategies"]?[$0]?.integer ?? 0 }) ?? message["seq"]?.integer
            else { return }
            if detection == nil { detection = GapDetection(last: given) }
            if case .replay(let after)? = detection?.hears(given) { beginReplay(after: after) }
        default: break
        }
    }

    private func notice(stream new: String?) {
        guard let new, new != stream else { return }
        if stream != nil {
            detection = GapDetection(last: 0)
            replaysAfter = nil
            events.append(.newStream(new))
        }
        stream = new
    }

    private func counter(of outcome: JSONValue) -> Int64? {
        outcome[strategy == nil ? "seq" : "strategy_seq"]?.integer
    }

    private func beginReplay(after counter: Int64) {
        events.append(.gap(after: counter))
        replaysAfter = counter
        caughtUp = 0
    }

    /// Asks for what comes after a counter, a page at a time, so that a long history never lies in memory whole. What is
    /// left out when the worker does not answer is noticed again at the next heartbeat.
    private func replayPage(after counter: Int64) throws(ZeroMQError) {
        replaysAfter = nil
        var request = JSONWriter()
        request.object { writer in
            writer.member("v", 1)
            writer.member("type", "replay")
            if let strategy { writer.member("strategy_name", strategy) }
            writer.member("after", counter)
            writer.member("limit", 500)
        }
        let answer = try intake.ask(request.bytes, milliseconds: 5000) {
            $0["type"]?.string == "replay" && $0["after"]?.integer == counter
        }
        // Of another database, which the next message tells of.
        guard let answer, answer["stream"]?.string == stream, let outcomes = answer["outcomes"]?.array else {
            return events.append(.replayUnanswered)
        }
        var detection = GapDetection(last: counter)
        for outcome in outcomes {
            guard let counter = self.counter(of: outcome), detection.sees(counter) == .take else { continue }
            replayedCount += 1
            caughtUp += 1
            events.append(.outcome(outcome))
        }
        self.detection = detection
        if answer["more"]?.bool == true, detection.last > counter {
            replaysAfter = detection.last
        } else {
            events.append(.caughtUp(caughtUp))
        }
    }
}
