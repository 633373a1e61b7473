import CurlTransport
import HostSystem
import OrderResolution
import TradeJournal
package import TradingCore

/// Looks for the unknown attempts of a worker that does not run, in its place. It holds that worker's state directory
/// meanwhile, opens no line on which an order could be placed, and leaves alone what waits.
package enum Reconciliation {
    /// Asks until none of the attempts is unknown any more, or the time is up. What is found is stored as the worker
    /// stores it; its outcomes reach subscribers by replay.
    /// - Parameters:
    ///   - wanted: Whose attempts; nil for all that are unknown.
    ///   - progress: Called whenever something was stored.
    package static func run(
        _ configuration: Configuration, wanted: Set<String>?, for duration: Microseconds, progress: () throws -> Void
    ) throws {
        let directory = try StateDirectory(configuration.stateDirectory)
        let journal = try TradeJournal(path: StateDirectory.databasePath(in: directory.path))
        let transport = try HTTPTransport(configuration.brokerAccess)
        let clock = try HostClock()
        let ids = TimeOrderedUUIDs()
        let partition = configuration.worker.partition
        var pacing = RequestPacing(perMinute: configuration.worker.requestsPerMinute)
        var resolver = OrderResolver(try transport.openLookUpLine(), settleTime: configuration.worker.settleTime)

        let start = clock.read()
        _ = try resolver.takeUp(from: journal, partition: partition, at: start)
        while true {
            try transport.perform()
            let now = clock.read()
            if let (sighting, result) = resolver.takeAnswer(at: now) {
                pacing.note(result, at: now)
                if sighting.needsStoring {
                    let stored = try journal.write { (transaction) throws(JournalFault) in
                        try sighting.keep(in: transaction, partition: partition, at: now.moment) {
                            ids.next(at: now.moment)
                        }
                    }
                    resolver.remember(stored, at: now.monotonic)
                    try progress()
                }
            }
            let isUnknown = resolver.orders.unknown.contains {
                wanted?.contains($0.execution.clientOrderID.text) ?? true
            }
            guard isUnknown, now.monotonic - start.monotonic < duration else { return }
            if pacing.allowance(at: now.monotonic) > 0, let question = resolver.nextQuestion(at: now.monotonic) {
                pacing.begin(at: now.monotonic)
                try resolver.ask(question, at: now)
            }
            let next = pacing.nextAllowance(after: now.monotonic) ?? resolver.nextDue(onlyUrgent: false)
            let sleep = (next ?? now.monotonic + .seconds(1)) - now.monotonic
            try transport.wait(for: [], milliseconds: Int32(max(1, min(sleep.millisecondsRoundedUp, 200))))
        }
    }
}
