import AlpacaAPI
import OrderResolution
import TradeJournal
import TradingCore

/// How the worker lets its resolver ask, and stores what it finds.
extension Worker {
    /// Asks the broker the question that is due, if any. Only an urgent one takes an allowance that a waiting decision
    /// needs.
    func askBroker(at now: ClockReading) throws(WorkerFault) {
        guard !isDraining, storage == .working, pacing.allowance(at: now.monotonic) > 0,
            let question = resolver.nextQuestion(at: now.monotonic),
            question.isUrgent || mayAskIdly(at: now.monotonic)
        else { return }
        pacing.begin(at: now.monotonic)
        do throws(EdgeFault) {
            try resolver.ask(question, at: now)
            probe.pass(.lookUpSent)
        } catch {
            throw .edge(error)
        }
    }

    /// Whether there is allowance to spare for a question that can wait: more than what the waiting decisions need, and a
    /// quarter for those that come next. Decisions that must wait anyway need none: their wait may be for this very
    /// answer.
    func mayAskIdly(at now: MonotonicTime) -> Bool {
        let needed = frontIsHeldBack ? 0 : queue.count - resolver.priorSends.count
        return pacing.allowance(at: now) > needed + (settings.requestsPerMinute ?? 0) / 4
    }

    /// Takes the broker's answer to a question.
    func takeLookUpAnswer(at now: ClockReading) -> Sighting? {
        guard let (sighting, result) = resolver.takeAnswer(at: now) else { return nil }
        pacing.note(result, at: now)
        connectionUsed(at: now)
        probe.pass(.lookUpReceived)
        return sighting
    }

    /// Stores what a look-up showed.
    func keep(
        _ sighting: Sighting, in transaction: borrowing JournalTransaction, _ record: TurnRecord,
        at now: ClockReading
    ) throws(JournalFault) {
        guard sighting.needsStoring else { return }
        let stored = try sighting.keep(in: transaction, partition: settings.partition, at: now.moment) {
            executionIDs.next(at: now.moment)
        }
        record.outcomes += stored.outcomes
        if let row = stored.leftQueue {
            record.leftQueue.insert(row)
            // An order from before a restore counts for what is judged in this very turn.
            limits?.forgetCounters()
        }
        record.seen = stored
    }
}
