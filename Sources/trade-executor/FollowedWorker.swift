import HostSystem
import StrictJSON
import TradingCore
import WorkerClient
import ZeroMQMessaging

/// A worker whose outcomes are shown as they come, with what else is to be said of it.
struct FollowedWorker {
    let endpoints: Endpoints
    /// The last counter that was heard of; nil while there is none.
    private(set) var last: Int64?

    private let follower: OutcomeFollower
    private let strategy: String?
    private let clock = SystemClock()
    private var heardAt: MonotonicTime
    private var isSilent = false

    /// After this long without a word a worker is said to be silent: it says something every second.
    private static let silence = Microseconds.seconds(5)

    /// - Parameters:
    ///   - strategy: The one strategy to follow; nil for all.
    ///   - after: The last counter that is known already; nil to begin with what comes next.
    init(
        _ endpoints: Endpoints, strategy: String?, after: Int64?, in context: ZeroMQContext
    ) throws(ZeroMQError) {
        self.endpoints = endpoints
        self.strategy = strategy
        last = after
        follower = try OutcomeFollower(
            outcomes: endpoints.outcomes, intake: endpoints.intake, keys: endpoints.keys, strategy: strategy,
            after: after, in: context)
        heardAt = clock.monotonic()
    }

    /// The most that is shown at a time.
    private static let eventsMax = 500

    /// Shows what there is to show, after waiting for it so long at most.
    mutating func listen(
        milliseconds: Int, _ view: OutcomeView, showing isWanted: (JSONValue) -> Bool
    ) throws {
        var event = try follower.next(milliseconds: milliseconds)
        if event == nil { try noteSilence(view) }
        // Not all at once: other workers are listened to as well.
        var count = 0
        while let heard = event {
            try show(heard, view, isWanted)
            count += 1
            event = count < FollowedWorker.eventsMax ? try follower.next(milliseconds: 0) : nil
        }
    }

    private mutating func show(
        _ event: OutcomeFollower.Event, _ view: OutcomeView, _ isWanted: (JSONValue) -> Bool
    ) throws {
        if case .replayUnanswered = event {
            return try view.remark(
                "\(endpoints.intake) does not tell what was missed; asking again in a few seconds")
        }
        if isSilent { try view.remark("heartbeats are back after \(silentSeconds) s") }
        isSilent = false
        heardAt = clock.monotonic()
        switch event {
        case .outcome(let outcome):
            last = outcome[strategy == nil ? "seq" : "strategy_seq"]?.integer ?? last
            if isWanted(outcome) { try view.show(outcome) }
        case .heartbeat(let heartbeat):
            if last == nil, let strategy { last = heartbeat["strategies"]?[strategy]?.integer ?? 0 }
            view.takePulse(heartbeat)
        case .gap(let after):
            try view.remark("outcomes after \(after) have not come live; asking the worker for them")
        case .caughtUp(let count): try view.remark("caught up: \(count) outcomes replayed")
        case .replayUnanswered: break
        case .newStream(let stream):
            try view.remark("the worker has another database now (stream \(stream)); its outcomes count from 1")
        }
    }

    private var silentSeconds: Int64 { (clock.monotonic() - heardAt).count / 1_000_000 }

    private mutating func noteSilence(_ view: OutcomeView) throws {
        guard clock.monotonic() - heardAt >= FollowedWorker.silence else { return }
        view.setPulse("no heartbeat from \(endpoints.outcomes) for \(silentSeconds) s")
        if !isSilent {
            try view.remark(
                "no heartbeat for \(silentSeconds) s: worker down, or \(endpoints.outcomes) cannot be reached; "
                    + endpoints.advice)
        }
        isSilent = true
    }
}
