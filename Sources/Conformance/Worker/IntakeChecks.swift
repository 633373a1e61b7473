import StrictJSON

extension WorkerCheck {
    /// What publishers rely on.
    static var intake: [WorkerCheck] {
        Conversation.Kind.allCases.map { kind in
            WorkerCheck("acknowledges what a \(kind.rawValue) sends") { (worker) throws(Deviation) in
                let conversation = try Conversation(worker, kind)
                for _ in 1...3 {
                    let id = worker.newID()
                    let ack = try conversation.ask(Requests.decision(id))
                    try checkAccepted(ack, id, isDuplicate: false)
                }
                return nil
            }
        } + [
            WorkerCheck("answers decisions that are sent without waiting, in their order") {
                (worker) throws(Deviation) in
                let conversation = try Conversation(worker)
                let ids = (1...20).map { _ in worker.newID() }
                for id in ids { try conversation.send(Array(Requests.decision(id).utf8)) }
                var last: Int64 = 0
                for id in ids {
                    let ack = try conversation.receive(after: id).message
                    try checkAccepted(ack, id, isDuplicate: false)
                    let seq = ack["decision_seq"]?.integer ?? 0
                    try expect(seq > last, "decision_seq above \(last)", seen: ack.text)
                    last = seq
                }
                return nil
            },
            WorkerCheck("takes the same bytes once, also when they come again before the answer") {
                (worker) throws(Deviation) in
                let id = worker.newID()
                let first = try Conversation(worker)
                let second = try Conversation(worker)
                let body = Requests.decision(id)
                try first.send(Array(body.utf8))
                try first.send(Array(body.utf8))
                try second.send(Array(body.utf8))
                let acks = [
                    try first.receive(after: body).message, try first.receive(after: body).message,
                    try second.receive(after: body).message,
                ]
                let fresh = acks.filter { $0["duplicate"] == false }
                try expect(
                    fresh.count == 1, "one answer of three with \"duplicate\":false",
                    seen: acks.map(\.text).joined(separator: " "))
                for ack in acks {
                    try expect(
                        ack["decision_seq"] == fresh[0]["decision_seq"], "the same decision_seq in all three",
                        seen: acks.map(\.text).joined(separator: " "))
                }
                return nil
            },
            WorkerCheck("tells a repeated decision its newest outcome") { (worker) throws(Deviation) in
                let listener = try TopicListener(worker, "outcome|\(Requests.strategy)|")
                let id = worker.newID()
                let conversation = try Conversation(worker)
                try checkAccepted(try conversation.ask(Requests.decision(id)), id, isDuplicate: false)
                let outcomes = try listener.outcomes(of: [id], patience: worker.patience)
                let again = try conversation.ask(Requests.decision(id))
                try checkAccepted(again, id, isDuplicate: true)
                let wanted = outcomes.last ?? .null
                try expect(
                    again["outcome"]?.inOrder == wanted.inOrder, "the outcome of the topic: \(wanted.text)",
                    seen: again.text)
                return nil
            },
            WorkerCheck("names one stream in every message") { (worker) throws(Deviation) in
                let conversation = try Conversation(worker)
                let id = worker.newID()
                let messages = [
                    try conversation.ask(Requests.ping), try conversation.ask(Requests.status),
                    try conversation.ask(Requests.decision(id)),
                    try conversation.ask(Requests.replay(Requests.strategy, after: 0, limit: 1)),
                    try TopicListener(worker).firstHeartbeat,
                ]
                let streams = Set(messages.map { $0["stream"]?.string })
                try expect(
                    streams.count == 1, "the same stream", seen: messages.map(\.text).joined(separator: " "))
                return nil
            },
        ]
    }

    static func checkAccepted(_ ack: JSONValue, _ id: String, isDuplicate: Bool) throws(Deviation) {
        try MessageShape.check(ack, "ack")
        try expect(
            ack["status"] == "accepted" && ack["decision_id"]?.string == id,
            "\"status\":\"accepted\" for \(id)", seen: ack.text)
        try expect(ack["duplicate"] == .bool(isDuplicate), "\"duplicate\":\(isDuplicate)", seen: ack.text)
    }
}
