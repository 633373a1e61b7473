import AlpacaAPI
import Logging
import OrderResolution
import TradeJournal
import TradingCore

/// What the worker does while nothing waits for it, so that decisions do not wait for it later.
extension Worker {
    /// When the log is copied back into the database: after so many commits once nothing was written for so long.
    ///
    /// Who answers at once, a publisher or the broker, is not kept waiting for it. Nor is it done more often than it must
    /// be while trades come: the first commit after it begins the log anew, which costs one more sync. A commit copies by
    /// itself once the log has 4,000 pages, and takes several milliseconds longer for it.
    private static var copying: [(commits: Int, afterQuiet: Microseconds)] {
        [(64, .milliseconds(2)), (32, .seconds(1))]
    }

    /// How long a connection may have carried nothing before something is sent over it: less than the minute after which
    /// many servers close one, and than the 118 s after which libcurl uses none again.
    private static var coldAfter: Microseconds { .seconds(45) }

    // MARK: The log

    /// When the log is to be copied back into the database; nil while it is short.
    var copyingDue: MonotonicTime? {
        guard storage == .working else { return nil }
        let commits = journal.commitsInLog
        return Self.copying.first { commits >= $0.commits }.map { lastWrite + $0.afterQuiet }
    }

    func copyLogBack(at now: ClockReading) throws(WorkerFault) {
        // Told at once, also where nothing is to be written.
        if let fault = journal.unusable, storage == .working { return try storageFailed(fault, at: now) }
        guard let due = copyingDue, due <= now.monotonic else { return }
        do throws(JournalFault) {
            try journal.checkpoint()
        } catch {
            guard error.mayPass else { throw .journal(error) }
            // Nothing depends on it: where the disk is full, the next write says so.
            log.warning("the database's log could not be copied back, which is tried again later: \(error)")
        }
    }

    // MARK: The connection

    /// Opens the connection to the broker before the first decision needs it, and keeps it from being closed for idleness:
    /// opening one anew takes several round trips, most of them for TLS. An order finds it in libcurl's pool.
    func keepConnectionWarm(at now: ClockReading) throws(WorkerFault) {
        if let result = warmUpLine.takeResult() {
            isWarmingUp = false
            pacing.note(result, at: now)
            connectionUsed(at: now)
        }
        guard !isDraining, !isWarmingUp, attempt == nil, now.monotonic >= coldFrom, mayAskIdly(at: now.monotonic) else {
            return
        }
        isWarmingUp = true
        pacing.begin(at: now.monotonic)
        do throws(EdgeFault) {
            try warmUpLine.get(path: BrokerClock.path)
        } catch {
            throw .edge(error)
        }
    }

    func connectionUsed(at now: ClockReading) { coldFrom = now.monotonic + Self.coldAfter }
}
