import StrictJSON
import TradingCore

extension WorkerCheck {
    /// What subscribers rely on.
    static var outcomes: [WorkerCheck] {
        [
            WorkerCheck("sends a heartbeat within 2 s, and each second") { (worker) throws(Deviation) in
                let listener = try TopicListener(worker)
                try MessageShape.check(listener.firstHeartbeat, "heartbeat")
                let most = worker.heartbeatMax.millisecondsRoundedUp
                try expect(
                    listener.waited <= worker.heartbeatMax, "the first within \(most) ms",
                    seen: "\(listener.waited.millisecondsRoundedUp) ms")
                for _ in 1...2 {
                    let end = worker.now + worker.heartbeatMax
                    guard let message = try listener.next(until: end) else {
                        throw .differs(expected: "a heartbeat within \(most) ms of the last", seen: "none")
                    }
                    try MessageShape.check(message.message, "heartbeat")
                    let topic = "heartbeat|\(message.message["partition"]?.string ?? "")"
                    try expect(message.topic == topic, "topic \(topic)", seen: message.topic)
                }
                return "the first after \(listener.waited.millisecondsRoundedUp) ms"
            },
            WorkerCheck("publishes the outcome of a decision, and replays the same") { (worker) throws(Deviation) in
                let (ids, outcomes) = try publish(1, worker)
                guard let outcome = outcomes.last else { return nil }
                try expect(
                    outcome["result"] == "failed" && outcome["reason"] == "expired"
                        && outcome["execution"]?.isNull == true,
                    "result failed, reason expired, execution null for \(ids[0])", seen: outcome.text)
                let seq = outcome["strategy_seq"]?.integer ?? 0
                let replayed = try replay(Requests.strategy, after: seq - 1, limit: 1, worker).outcomes
                try expect(
                    replayed.map(\.inOrder) == [outcome.inOrder],
                    "in the replay what was on the topic: \(outcome.text)",
                    seen: replayed.map(\.text).joined(separator: " "))
                return nil
            },
            WorkerCheck("numbers outcomes without gaps, by strategy_seq and by seq") { (worker) throws(Deviation) in
                let (_, outcomes) = try publish(10, worker)
                try checkCounters(outcomes, "strategy_seq")
                let first = outcomes.first?["seq"]?.integer ?? 0
                let all = try replayToTheEnd(nil, after: first - 1, pages: 500, worker)
                try checkCounters(all, "seq")
                return nil
            },
            WorkerCheck("tells in heartbeats how far outcomes are") { (worker) throws(Deviation) in
                let (_, outcomes) = try publish(1, worker)
                let last = outcomes.last
                let seq = last?["seq"]?.integer ?? 0
                let strategySeq = last?["strategy_seq"]?.integer ?? 0
                _ = try TopicListener(worker).heartbeat(
                    "seq \(seq) and strategies \(Requests.strategy):\(strategySeq), or more"
                ) {
                    ($0["seq"]?.integer ?? 0) >= seq
                        && ($0["strategies"]?[Requests.strategy]?.integer ?? 0) >= strategySeq
                }
                return nil
            },
            WorkerCheck("replays in pages, and says whether there is more") { (worker) throws(Deviation) in
                let (_, outcomes) = try publish(5, worker)
                let first = outcomes.first?["strategy_seq"]?.integer ?? 0
                let page = try replay(Requests.strategy, after: first - 1, limit: 2, worker)
                try expect(
                    page.outcomes.count == 2 && page.hasMore, "2 outcomes and \"more\":true",
                    seen: "\(page.outcomes.count) and \"more\":\(page.hasMore)")
                let paged = try replayToTheEnd(Requests.strategy, after: first - 1, pages: 2, worker)
                try checkCounters(paged, "strategy_seq")
                let whole = try replayToTheEnd(Requests.strategy, after: first - 1, pages: 500, worker)
                try expect(
                    paged.map(\.inOrder) == Array(whole.map(\.inOrder).prefix(paged.count)),
                    "the same in pages and as a whole", seen: "\(paged.map(\.text)), \(whole.map(\.text))")
                let last = paged.last?["strategy_seq"]?.integer ?? 0
                let end = try replay(Requests.strategy, after: last, limit: nil, worker)
                try expect(
                    end.outcomes.isEmpty && !end.hasMore, "nothing after the last",
                    seen: end.outcomes.map(\.text).joined())
                return nil
            },
            WorkerCheck("publishes to who subscribes with the | at the end only what is asked for") {
                (worker) throws(Deviation) in
                let prefix = "outcome|\(Requests.strategy)|"
                let listener = try TopicListener(worker, prefix)
                let nobody = try TopicListener(worker, "outcome|nobody-\(worker.unique)|")
                let others = [worker.newID(), worker.newID()]
                let own = worker.newID()
                let conversation = try Conversation(worker)
                for id in others {
                    let ack = try conversation.ask(Requests.decision(id, of: Requests.otherStrategy))
                    try checkAccepted(ack, id, isDuplicate: false)
                }
                try checkAccepted(try conversation.ask(Requests.decision(own)), own, isDuplicate: false)
                let seq = try listener.outcomes(of: [own], patience: worker.patience).last?["seq"]?.integer ?? 0
                for outcome in try listener.outcomes(untilHeartbeatOf: seq) { try outcome.checkOutcome() }
                let strange = try nobody.outcomes(untilHeartbeatOf: seq)
                try expect(
                    strange.isEmpty, "nothing under a topic that nobody uses",
                    seen: strange.map(\.topic).joined(separator: " "))
                return nil
            },
            WorkerCheck("replays to a subscriber what was published before it came") { (worker) throws(Deviation) in
                let (ids, _) = try publish(3, worker)
                let listener = try TopicListener(worker, "outcome|\(Requests.strategy)|")
                let last = listener.firstHeartbeat["strategies"]?[Requests.strategy]?.integer ?? 0
                let replayed = try replayToTheEnd(Requests.strategy, after: max(0, last - 3), pages: 500, worker)
                let missing = ids.filter { id in !replayed.contains { $0["decision_id"]?.string == id } }
                try expect(missing.isEmpty, "outcomes of \(ids)", seen: "none of \(missing)")
                return nil
            },
        ]
    }

    // MARK: Parts

    /// Sends decisions that are over their deadline, and gives what the topic tells of them.
    private static func publish(
        _ count: Int, _ worker: WorkerUnderTest
    ) throws(Deviation) -> (ids: [String], outcomes: [JSONValue]) {
        let listener = try TopicListener(worker, "outcome|\(Requests.strategy)|")
        let conversation = try Conversation(worker)
        let ids = (1...count).map { _ in worker.newID() }
        for id in ids { try checkAccepted(try conversation.ask(Requests.decision(id)), id, isDuplicate: false) }
        return (ids, try listener.outcomes(of: ids, patience: worker.patience))
    }

    static func checkCounters(_ outcomes: [JSONValue], _ counter: String) throws(Deviation) {
        let counters = outcomes.map { $0[counter]?.integer ?? -1 }
        for (before, after) in zip(counters, counters.dropFirst()) {
            try expect(after == before + 1, "\(counter) \(before + 1) after \(before)", seen: "\(after)")
        }
    }

    private static func replay(
        _ strategy: String?, after: Int64, limit: Int?, _ worker: WorkerUnderTest
    ) throws(Deviation) -> (outcomes: [JSONValue], hasMore: Bool) {
        let message = try Conversation(worker).ask(Requests.replay(strategy, after: after, limit: limit))
        try MessageShape.check(message, "replay")
        let outcomes = message["outcomes"]?.array ?? []
        for outcome in outcomes { try MessageShape.check(outcome, "outcome") }
        let counter = strategy == nil ? "seq" : "strategy_seq"
        if let first = outcomes.first {
            try expect(
                first[counter]?.integer == after + 1, "a replay that begins with \(counter) \(after + 1)",
                seen: first.text)
        }
        return (outcomes, message["more"]?.bool ?? false)
    }

    private static func replayToTheEnd(
        _ strategy: String?, after: Int64, pages: Int, _ worker: WorkerUnderTest
    ) throws(Deviation) -> [JSONValue] {
        var all: [JSONValue] = []
        var last = after
        while true {
            let page = try replay(strategy, after: last, limit: pages, worker)
            try expect(
                page.outcomes.count <= pages, "at most \(pages) outcomes", seen: "\(page.outcomes.count)")
            all += page.outcomes
            guard page.hasMore, let outcome = page.outcomes.last else { return all }
            last = outcome[strategy == nil ? "seq" : "strategy_seq"]?.integer ?? last
        }
    }
}
