package import TradingCore

/// Plays a worker for one publisher: answers late, twice, with a refusal, and looks at what the publisher makes of it.
/// It has no clock and no socket, and places no orders.
package struct PublisherScript {
    /// What is checked, as a sentence about the client.
    package enum Check: String, CaseIterable {
        case followsContract = "sends decisions as the contract has them"
        case repeatsBytes = "sends the same bytes again while no answer comes"
        case oneInFlight = "has one decision in flight"
        case idsOnce = "uses an id for one content"
        case unknownMembers = "takes an answer with members that it does not know"
        case lateAnswer = "does not take a late answer to another decision for its own"
        case refusedForGood = "does not send again what is refused for good"
        case refusedForNow = "sends again later what is refused with retry"

        /// How many decisions it takes to see.
        fileprivate var decisionCount: Int {
            switch self {
            case .followsContract, .repeatsBytes: 1
            case .oneInFlight, .idsOnce, .unknownMembers, .lateAnswer: 2
            case .refusedForGood: 3
            case .refusedForNow: 4
            }
        }
    }

    /// An answer, with the frames of whom it is for.
    package struct Answer: Equatable {
        package let envelope: [[UInt8]]
        package let body: [UInt8]
    }

    private struct Seen {
        let number: Int
        /// Of who sent it first.
        let firstEnvelope: [[UInt8]]
        /// Of who sent it last.
        var envelope: [[UInt8]]
        let body: [UInt8]
        let decision: Decision
        var copies = 1
        var lastAt: MonotonicTime
        var isAnswered = false
    }

    /// How long the client may take beyond what the contract says.
    private let patience: Microseconds
    private var findings = ScriptFindings<Check>()
    /// The strategy that is watched: the first one that came.
    private var strategy: StrategyName?
    private var decisions: [ClientOrderID: Seen] = [:]
    /// The decision that came last, of those that are watched.
    private var current: ClientOrderID?
    private var lastAt: MonotonicTime?
    private var isFinished = false

    package init(patience: Microseconds) {
        self.patience = patience
    }

    package var hasBegun: Bool { strategy != nil || findings.isConcluded(.followsContract) }
    package var isDone: Bool { isFinished }

    package mutating func tellFindings() -> [Finding] { findings.tell() }

    // MARK: What comes

    /// A decision came, or what was to be one.
    /// - Parameter envelope: The frames before the body, which go before the answer.
    package mutating func take(
        _ request: Result<Decision, RefusedFrame>, _ body: [UInt8], from envelope: [[UInt8]], at now: MonotonicTime
    ) -> [Answer] {
        lastAt = now
        let decision: Decision
        switch request {
        case .failure(let refused):
            findings.fail(
                .followsContract, expected: "what a worker takes",
                seen: "\(refused.refusal.code.rawValue), \(refused.refusal.message): \(Shown.text(body))")
            return [Answer(envelope: envelope, body: StandInAnswer.refused(refused))]
        case .success(let read): decision = read
        }
        let strategy = strategy ?? decision.strategy
        self.strategy = strategy
        guard decision.strategy == strategy else {
            let body = StandInAnswer.accepted(decision, number: 1, isDuplicate: false)
            return [Answer(envelope: envelope, body: body)]
        }
        if let seen = decisions[decision.clientOrderID] {
            return takeAgain(seen, decision, body, from: envelope, at: now)
        }
        return takeNew(decision, body, from: envelope, at: now)
    }

    private mutating func takeNew(
        _ decision: Decision, _ body: [UInt8], from envelope: [[UInt8]], at now: MonotonicTime
    ) -> [Answer] {
        let before = current.flatMap { decisions[$0] }
        if let before, !before.isAnswered, decision.sequence == nil {
            let name = before.decision.clientOrderID
            if before.number == 2, !findings.isConcluded(.oneInFlight) {
                findings.fail(
                    .lateAnswer, expected: "\(name) again, which has no answer of its own",
                    seen: "the next decision, after the answer to the one before")
            } else {
                findings.fail(
                    .oneInFlight, expected: "no other decision before \(name) is answered",
                    seen: "\(decision.clientOrderID)")
            }
        }
        let seen = Seen(
            number: decisions.count + 1, firstEnvelope: envelope, envelope: envelope, body: body, decision: decision,
            lastAt: now)
        current = decision.clientOrderID
        decisions[decision.clientOrderID] = seen
        switch seen.number {
        case 1: return []
        case 2:
            guard let before, before.isAnswered else { return [] }
            findings.pass(.unknownMembers)
            // Now comes the answer that the decision before did not get at first; this one's own is kept back.
            return [Answer(envelope: before.firstEnvelope, body: accepted(before, isDuplicate: false))]
        case 3: return refuse(seen, Refusal(.badField, field: "symbol", "refused, to see what comes of it"))
        case 4:
            findings.pass(.refusedForGood)
            return refuse(seen, Refusal(.queueFull, "refused for now, to see whether it comes again", retry: true))
        case 5:
            giveUpOnRetry()
            return answer(seen, isDuplicate: false)
        default: return answer(seen, isDuplicate: false)
        }
    }

    private mutating func takeAgain(
        _ before: Seen, _ decision: Decision, _ body: [UInt8], from envelope: [[UInt8]], at now: MonotonicTime
    ) -> [Answer] {
        guard before.body == body else {
            findings.fail(
                before.isAnswered ? .idsOnce : .repeatsBytes,
                expected: before.isAnswered ? "a new id for new content" : "the same bytes: \(Shown.text(before.body))",
                seen: Shown.text(body))
            let refusal = Refusal(.idConflict, field: "decision_id", "it came before with other bytes")
            return [Answer(envelope: envelope, body: StandInAnswer.refused(RefusedFrame(refusal, decision)))]
        }
        var seen = before
        seen.copies += 1
        seen.envelope = envelope
        seen.lastAt = now
        decisions[decision.clientOrderID] = seen
        switch (seen.number, seen.copies) {
        case (1, 2): return []
        case (1, 3):
            findings.pass(.repeatsBytes, note: "the last time after \((now - before.lastAt).millisecondsRoundedUp) ms")
            return answer(seen, isDuplicate: true)
        case (1, _):
            findings.fail(
                .unknownMembers, expected: "the next decision after an answer", seen: "the answered one again")
            return answer(seen, isDuplicate: true)
        case (2, 2):
            findings.pass(.lateAnswer)
            return answer(seen, isDuplicate: true)
        case (3, _):
            findings.fail(
                .refusedForGood, expected: "another decision, or none", seen: "the same bytes again, with retry false")
            return refuse(seen, Refusal(.badField, field: "symbol", "refused again"))
        case (4, 2):
            findings.pass(.refusedForNow)
            isFinished = true
            return answer(seen, isDuplicate: false)
        default: return answer(seen, isDuplicate: true)
        }
    }

    // MARK: What does not come

    /// Time has passed.
    package mutating func tick(at now: MonotonicTime) {
        guard !isFinished, let lastAt else { return }
        if let current, let seen = decisions[current] {
            let silence = now - seen.lastAt
            if !seen.isAnswered, silence > .seconds(2) + patience {
                findings.fail(
                    seen.number == 2 ? .lateAnswer : .repeatsBytes,
                    expected: "the same bytes again 2 s after no answer",
                    seen: "nothing for \(silence.millisecondsRoundedUp) ms")
                isFinished = true
            }
            if seen.number == 3, silence > patience { findings.pass(.refusedForGood) }
            if seen.number == 4, silence > .seconds(10) + patience { giveUpOnRetry() }
        }
        // Who has sent all its decisions is done.
        if now - lastAt > .seconds(10) + patience { isFinished = true }
    }

    private mutating func giveUpOnRetry() {
        findings.conclude(.refusedForNow, .skipped(why: "it gave up, which it may"))
        isFinished = true
    }

    /// Ends what cannot be seen any more.
    package mutating func finish() {
        let count = decisions.count
        let hasBegun = hasBegun
        findings.concludeRest { check in
            switch check {
            case .followsContract, .oneInFlight, .idsOnce:
                if count >= check.decisionCount { return .ok(note: nil) }
            case .repeatsBytes, .unknownMembers, .lateAnswer, .refusedForGood, .refusedForNow: break
            }
            if !hasBegun { return .skipped(why: "it sent no decision") }
            if count < check.decisionCount {
                return .skipped(why: "it sent \(count) decisions; this takes \(check.decisionCount)")
            }
            return .skipped(why: "it cannot be seen after what went wrong")
        }
        isFinished = true
    }

    // MARK: Answers

    private mutating func answer(_ seen: Seen, isDuplicate: Bool) -> [Answer] {
        decisions[seen.decision.clientOrderID]?.isAnswered = true
        return [Answer(envelope: seen.envelope, body: accepted(seen, isDuplicate: isDuplicate))]
    }

    /// With a member that no client knows.
    private func accepted(_ seen: Seen, isDuplicate: Bool) -> [UInt8] {
        StandInAnswer.accepted(seen.decision, number: seen.number, isDuplicate: isDuplicate)
    }

    private mutating func refuse(_ seen: Seen, _ refusal: Refusal) -> [Answer] {
        decisions[seen.decision.clientOrderID]?.isAnswered = true
        return [Answer(envelope: seen.envelope, body: StandInAnswer.refused(RefusedFrame(refusal, seen.decision)))]
    }
}

extension RefusedFrame {
    fileprivate init(_ refusal: Refusal, _ decision: Decision) {
        self.init(refusal, decisionID: decision.id.text, strategyName: decision.strategy.text)
    }
}
