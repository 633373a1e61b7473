import StrictJSON
package import TradingCore

/// The names of the stand-in's two histories.
enum OutcomeScriptStream {
    static let first = "c0c0c0c0c0c0c0c0"
    static let second = "d1d1d1d1d1d1d1d1"
}

/// Plays a worker's outcome topic for one subscriber: leaves outcomes out, tells some twice, begins another history, and
/// looks at what the subscriber asks for. It has no clock and no socket.
package struct SubscriberScript {
    /// What is checked, as a sentence about the client.
    package enum Check: String, CaseIterable {
        case wholeNames = "subscribes to outcomes with the | at the end"
        case hearsHeartbeats = "subscribes to heartbeats"
        case fillsGap = "asks for what it missed when a counter is left out"
        case followsHeartbeat = "asks for what it missed when a heartbeat is ahead"
        case asksForMore = "asks again while there is more"
        case dropsRepeated = "drops what it has seen, and asks for nothing then"
        case newStream = "begins at 0 when the stream is another"
        case handlesOnce = "handles every outcome once and in order"
    }

    /// A message of the topic.
    package struct Publication: Equatable {
        package let topic: String
        package let body: [UInt8]
    }

    /// An outcome, by its history and its number.
    private struct Handled: Equatable {
        let stream: String
        let seq: Int64
    }

    private enum Phase: Equatable {
        /// Nobody has subscribed.
        case waiting
        /// The subscription is new: nothing is published yet.
        case settling
        /// 1 and 2 were published.
        case begun
        /// 4 was published, and 3 was not.
        case gap
        /// Up to 7 is there, and only heartbeats tell.
        case behind
        /// Part of it was replayed, up to a number.
        case paging(upTo: Int64)
        /// Old outcomes were published again, then 8.
        case repeated
        /// Another history has begun: 1 and 2 are there, and only heartbeats tell.
        case renewed
        /// 3 was published.
        case ending
        case done
    }

    private let patience: Microseconds
    private var findings = ScriptFindings<Check>()
    private var phase = Phase.waiting
    private var phaseAt = MonotonicTime(microseconds: 0)
    private var heartbeatAt: MonotonicTime?
    private var topics: [String] = []
    private var strategy = "conformance"
    private var symbol = "AAPL"
    private var stream = OutcomeScriptStream.first
    /// The last outcome there is.
    private var last: Int64 = 0
    private var handled: [Handled] = []

    package init(patience: Microseconds) {
        self.patience = patience
    }

    package var hasBegun: Bool { phase != .waiting }
    package var isDone: Bool { phase == .done }

    package mutating func tellFindings() -> [Finding] { findings.tell() }

    // MARK: What comes

    package mutating func subscribed(_ topic: String, at now: MonotonicTime) {
        topics.append(topic)
        guard phase == .waiting, isOutcomes(topic) else { return }
        let parts = topic.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 1, !parts[1].isEmpty { strategy = parts[1] }
        if parts.count > 2, !parts[2].isEmpty { symbol = parts[2] }
        enter(.settling, at: now)
    }

    private func isOutcomes(_ topic: String) -> Bool { topic.hasPrefix("outcome") || "outcome|".hasPrefix(topic) }

    /// The client has printed a line; one for each outcome that it handles is a JSON object with its `stream` and `seq`.
    package mutating func printed(_ line: [UInt8]) {
        guard let value = try? JSONValue(parsing: line), let stream = value["stream"]?.string,
            let seq = value["seq"]?.integer
        else { return }
        handled.append(Handled(stream: stream, seq: seq))
    }

    /// The answer to a request for a replay.
    package mutating func replay(_ request: ReplayRequest, at now: MonotonicTime) -> [UInt8] {
        let isOurs = request.strategy == nil || request.strategy?.text == strategy
        let isPaged =
            switch phase {
            case .behind, .paging: true
            default: false
            }
        let limit = isPaged ? min(2, request.limit) : request.limit
        let all = isOurs && request.after < last ? Array((request.after + 1)...last) : []
        let page = Array(all.prefix(limit))
        if isOurs { judge(request.after, upTo: page.last, hasMore: page.count < all.count, at: now) }
        return StandInAnswer.replay(
            request, outcomes: page.map(outcome), hasMore: page.count < all.count, stream: stream)
    }

    private mutating func judge(_ after: Int64, upTo: Int64?, hasMore: Bool, at now: MonotonicTime) {
        let seen = "a replay after \(after)"
        switch phase {
        case .waiting, .settling, .begun, .ending, .done: return
        case .gap:
            if after <= 2 {
                findings.pass(.fillsGap)
            } else {
                findings.fail(.fillsGap, expected: "a replay after 2, when 4 came and not 3", seen: seen)
            }
            beBehind(at: now)
        case .behind:
            if after <= 4 {
                findings.pass(.followsHeartbeat)
            } else {
                findings.fail(.followsHeartbeat, expected: "a replay after 4, of up to 7", seen: seen)
            }
            if hasMore, let upTo { enter(.paging(upTo: upTo), at: now) } else { repeatOutcomes(at: now) }
        case .paging(let expected):
            guard after == expected else {
                findings.fail(.asksForMore, expected: "a replay after \(expected)", seen: seen)
                return repeatOutcomes(at: now)
            }
            if hasMore, let upTo { return enter(.paging(upTo: upTo), at: now) }
            findings.pass(.asksForMore)
            repeatOutcomes(at: now)
        case .repeated:
            if after < last {
                findings.fail(.dropsRepeated, expected: "no request, since nothing was missed", seen: seen)
            }
        case .renewed:
            // It may ask for more of what it knew at first, and learn from the answer.
            guard after == 0 else { return }
            findings.pass(.newStream)
            last = 3
            pending.append(publication(3))
            enter(.ending, at: now)
        }
    }

    // MARK: What is published

    /// What the next tick publishes.
    private var pending: [Publication] = []

    /// What is to be published now.
    package mutating func tick(at now: MonotonicTime) -> [Publication] {
        let since = now - phaseAt
        switch phase {
        case .waiting, .done: break
        case .settling:
            guard since > .milliseconds(1500) else { break }
            last = 2
            pending += [publication(1), publication(2)]
            enter(.begun, at: now)
        case .begun:
            guard since > .milliseconds(1500) else { break }
            judgeSubscriptions()
            last = 4
            pending.append(publication(4))
            enter(.gap, at: now)
        case .gap:
            guard since > silenceMax else { break }
            findings.fail(.fillsGap, expected: "a replay after 2, when 4 came and not 3", seen: "none")
            beBehind(at: now)
        case .behind:
            guard since > patience else { break }
            findings.fail(.followsHeartbeat, expected: "a replay after 4, when heartbeats tell of 7", seen: "none")
            repeatOutcomes(at: now)
        case .paging(let upTo):
            guard since > patience else { break }
            findings.fail(.asksForMore, expected: "a replay after \(upTo), since there is more", seen: "none")
            repeatOutcomes(at: now)
        case .repeated:
            guard since > .seconds(3) else { break }
            findings.pass(.dropsRepeated)
            stream = OutcomeScriptStream.second
            last = 2
            heartbeatAt = nil
            enter(.renewed, at: now)
        case .renewed:
            guard since > patience else { break }
            findings.fail(.newStream, expected: "a replay after 0, when another stream begins", seen: "none")
            enter(.done, at: now)
        case .ending:
            guard since > .milliseconds(1500) else { break }
            if handled.count >= wanted.count || since > patience { enter(.done, at: now) }
        }
        var published = pending
        pending = []
        if let heartbeat = heartbeat(at: now) { published.append(heartbeat) }
        return published
    }

    /// How long heartbeats may stay away, so that a gap is seen by the counter alone.
    private var silenceMax: Microseconds { max(.seconds(3), patience) }

    private mutating func heartbeat(at now: MonotonicTime) -> Publication? {
        if phase == .gap { return nil }
        if let heartbeatAt, now - heartbeatAt < .seconds(1) { return nil }
        heartbeatAt = now
        return Publication(
            topic: "heartbeat|\(StandInAnswer.partition)",
            body: StandInAnswer.state("heartbeat", stream: stream, strategy: strategy, seq: last))
    }

    /// The answer to a request for the status.
    package var status: [UInt8] { StandInAnswer.state("status", stream: stream, strategy: strategy, seq: last) }
    package var pong: [UInt8] { StandInAnswer.pong(stream: stream) }
    package var reconcile: [UInt8] { StandInAnswer.reconcile(stream: stream) }

    private mutating func beBehind(at now: MonotonicTime) {
        last = 7
        enter(.behind, at: now)
    }

    private mutating func repeatOutcomes(at now: MonotonicTime) {
        pending += [publication(7), publication(5), publication(8)]
        last = 8
        enter(.repeated, at: now)
    }

    private mutating func enter(_ phase: Phase, at now: MonotonicTime) {
        self.phase = phase
        phaseAt = now
    }

    private func outcome(_ seq: Int64) -> [UInt8] {
        StandInAnswer.outcome(stream: stream, strategy: strategy, symbol: symbol, seq: seq)
    }

    private func publication(_ seq: Int64) -> Publication {
        Publication(topic: "outcome|\(strategy)|\(symbol)|refused", body: outcome(seq))
    }

    // MARK: Ends

    private mutating func judgeSubscriptions() {
        if let half = topics.first(where: { $0.hasPrefix("outcome|") && !$0.hasSuffix("|") }) {
            findings.fail(.wholeNames, expected: "\(half)|", seen: half)
        } else {
            findings.pass(.wholeNames)
        }
        let heartbeat = "heartbeat|\(StandInAnswer.partition)"
        if topics.contains(where: heartbeat.hasPrefix) {
            findings.pass(.hearsHeartbeats)
        } else {
            findings.fail(
                .hearsHeartbeats, expected: "heartbeat|", seen: topics.joined(separator: " "))
        }
    }

    /// What is handled by whoever misses nothing.
    private var wanted: [Handled] {
        (1...8).map { Handled(stream: OutcomeScriptStream.first, seq: $0) }
            + (1...3).map { Handled(stream: OutcomeScriptStream.second, seq: $0) }
    }

    /// Ends what cannot be seen any more.
    package mutating func finish() {
        if phase == .done, !handled.isEmpty {
            if handled == wanted {
                findings.pass(.handlesOnce)
            } else {
                findings.fail(.handlesOnce, expected: Self.list(wanted), seen: Self.list(handled))
            }
        }
        let why =
            switch phase {
            case .waiting: "it subscribed to no outcomes"
            case .done: "it did not get so far"
            default: "it was ended before"
            }
        let isSilent = handled.isEmpty && phase == .done
        findings.concludeRest { check in
            check == .handlesOnce && isSilent
                ? .skipped(why: "pipe in what it prints: a JSON object with stream and seq for each outcome")
                : .skipped(why: why)
        }
        phase = .done
    }

    private static func list(_ outcomes: [Handled]) -> String {
        outcomes.map { "\($0.stream.prefix(2))…:\($0.seq)" }.joined(separator: " ")
    }
}
