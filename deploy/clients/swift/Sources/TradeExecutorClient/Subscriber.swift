/// A heartbeat comes every second; after so long without one we are cut off.
private let silence: Duration = .seconds(5)

/// Gives a strategy's outcomes, each once and in order. What the topic lost is replayed from the worker.
public final class Subscriber {
    /// Of the last outcome that `next` gave.
    public private(set) var position: Position

    private let strategy: String
    private let outcomes: String
    private let keys: CurveKeys?
    private let intake: Intake
    private var live: Socket?
    private var heard = ContinuousClock.now
    /// Only the answer to a replay changes it: live messages of an older database may still wait in the queue when the
    /// worker has begun another one.
    private var stream: String?
    private var last: Int
    private var isBehind = false
    private var ready: ArraySlice<JSON> = []

    public init(
        strategy: String, after position: Position = Position(), outcomes: String = defaultOutcomes,
        intake: String = defaultIntake, keys: CurveKeys? = nil
    ) {
        self.position = position
        self.strategy = strategy
        self.outcomes = outcomes
        self.keys = keys
        self.intake = Intake(intake, keys)
        stream = position.stream
        last = position.counter
    }

    /// Waits for the next outcome.
    public func next() throws(ClientError) -> JSON {
        while true {
            if let outcome = ready.popFirst() {
                // Not the outcome's own stream: one from before a restoration or a move names the stream of then.
                position = Position(stream: stream, counter: counter(outcome))
                return outcome
            }
            if isBehind { try catchUp() } else { try listen() }
        }
    }

    /// Takes one message of the topic.
    private func listen() throws(ClientError) {
        if live == nil {
            live = try Socket(.subscriber(topics: ["outcome|\(strategy)|", "heartbeat|"]), outcomes, keys)
            heard = .now
        }
        guard let message = try live?.receive(within: .seconds(1)) else {
            // A connection that was refused, or whose other end vanished, never comes back.
            if ContinuousClock.now - heard > silence { live = nil }
            return
        }
        heard = .now
        if message["stream"]?.string != stream {
            isBehind = true
        } else if message["type"] == "heartbeat" {
            isBehind = (message["strategies"]?[strategy]?.integer ?? 0) > last
        } else if message["type"] == "outcome" {
            if counter(message) == last + 1 { take(message) } else { isBehind = counter(message) > last }
        }
    }

    private func catchUp() throws(ClientError) {
        let request: JSON = ["v": 1, "type": "replay", "strategy_name": .string(strategy), "after": .integer(last)]
        let page: JSON
        do {
            page = try intake.ask(request, "replay", timeout: acknowledgementWait)
        } catch {
            guard error.isWorthRetrying else { throw error }
            // The next heartbeat tells again that something is missing.
            isBehind = false
            return
        }
        let isOtherDatabase = stream != nil && page["stream"]?.string != stream
        stream = page["stream"]?.string
        if isOtherDatabase, last > 0 {
            // Its counters begin anew: ask again, from its beginning.
            last = 0
            return
        }
        for outcome in page["outcomes"]?.array ?? [] where counter(outcome) > last { take(outcome) }
        isBehind = page["more"] == true
    }

    private func take(_ outcome: JSON) {
        last = counter(outcome)
        ready.append(outcome)
    }

    private func counter(_ outcome: JSON) -> Int { outcome["strategy_seq"]?.integer ?? 0 }
}
