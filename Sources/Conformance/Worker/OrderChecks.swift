import StrictJSON

extension WorkerCheck {
    /// What takes an order to see.
    package static var orders: [WorkerCheck] {
        [
            WorkerCheck("makes one order of a decision that is sent again and again, and follows it to its end") {
                (worker) throws(Deviation) in
                let sample = try sampleOrder(worker)
                let listener = try TopicListener(worker, "outcome|\(Requests.strategy)|")
                let id = worker.newID()
                let conversation = try Conversation(worker)
                let body = Requests.order(id, sample)
                try checkAccepted(try conversation.ask(body), id, isDuplicate: false)
                for _ in 1...3 { try checkAccepted(try conversation.ask(body), id, isDuplicate: true) }
                let outcomes = try listener.outcomes(of: [id], patience: endMilliseconds)
                for outcome in outcomes { try checkExecution(outcome, id) }
                let executions = Set(outcomes.map { $0["execution"]?["execution_id"]?.string })
                try expect(executions.count == 1, "one execution", seen: "\(executions)")
                let again = try conversation.ask(body)
                try checkAccepted(again, id, isDuplicate: true)
                try expect(
                    again["outcome"]?["final"] == true, "the final outcome with the repetition", seen: again.text)
                return outcomes.last?["result"]?.string.map { "its result is \($0)" }
            },
            WorkerCheck("sends orders in the order of their decisions") { (worker) throws(Deviation) in
                let sample = try sampleOrder(worker)
                let listener = try TopicListener(worker, "outcome|\(Requests.strategy)|")
                let conversation = try Conversation(worker)
                let ids = (1...3).map { _ in worker.newID() }
                for id in ids {
                    try checkAccepted(try conversation.ask(Requests.order(id, sample)), id, isDuplicate: false)
                }
                let outcomes = try listener.outcomes(of: ids, patience: endMilliseconds)
                try checkCounters(outcomes, "strategy_seq")
                var first: [String] = []
                for id in outcomes.compactMap({ $0["decision_id"]?.string }) where !first.contains(id) {
                    first.append(id)
                }
                try expect(first == ids, "first outcomes in the order \(ids)", seen: "\(first)")
                return nil
            },
        ]
    }

    /// How long an order that is filled or cancelled at once may take to its end, in milliseconds.
    private static let endMilliseconds = 60_000

    private static func sampleOrder(_ worker: WorkerUnderTest) throws(Deviation) -> WorkerUnderTest.SampleOrder {
        guard let sample = worker.sampleOrder else { throw .skipped(why: "it places an order; --with-orders") }
        return sample
    }

    private static func checkExecution(_ outcome: JSONValue, _ id: String) throws(Deviation) {
        let execution = outcome["execution"]
        try expect(
            execution?["client_order_id"]?.string == "\(Requests.strategy):\(id)" && execution?["attempt_number"] == 1,
            "an execution with client_order_id \(Requests.strategy):\(id) and attempt_number 1",
            seen: outcome.text)
    }
}
