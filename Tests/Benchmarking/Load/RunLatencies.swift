/// Where the time of the decisions of one run went. All counted from when a decision was due to be sent, not from when it
/// was sent: a worker that holds up its publishers does not look faster for it.
package struct RunLatencies {
    package var toAck: LatencySummary?
    /// Until the broker had read the whole request.
    package var toBroker: LatencySummary?
    /// From the broker's answer to the outcome at the subscriber.
    package var answerToOutcome: LatencySummary?
    package var toOutcome: LatencySummary?
    /// How late decisions were sent: the load generator's own delay.
    package var lateness: LatencySummary?

    /// - Parameter record: Of a run that has passed its check.
    package init(_ record: RunRecord) throws {
        let due = Dictionary(uniqueKeysWithValues: record.sent.map { ($0.name.clientOrderID, $0.dueAt) })
        var (toAck, toBroker, fromAnswer, toOutcome, late) = (
            Latencies(), Latencies(), Latencies(), Latencies(), Latencies()
        )
        for sent in record.sent { late.record(nanoseconds: sent.sentAt - sent.dueAt) }
        for ack in try record.acks.map(Told.init(ack:)) {
            guard let start = due[ack.name.clientOrderID] else { continue }
            toAck.record(nanoseconds: ack.at - start)
        }
        var answered: [String: Int64] = [:]
        for arrival in record.arrivals {
            answered[arrival.clientOrderID] = arrival.answeredAt
            guard let start = due[arrival.clientOrderID] else { continue }
            toBroker.record(nanoseconds: arrival.arrivedAt - start)
        }
        for outcome in try record.outcomes.map(Told.init(outcome:)) {
            guard let start = due[outcome.name.clientOrderID], let answer = answered[outcome.name.clientOrderID]
            else { continue }
            fromAnswer.record(nanoseconds: outcome.at - answer)
            toOutcome.record(nanoseconds: outcome.at - start)
        }
        self.toAck = toAck.summary
        self.toBroker = toBroker.summary
        answerToOutcome = fromAnswer.summary
        self.toOutcome = toOutcome.summary
        lateness = late.summary
    }
}
