import CurlTransport
import Glibc
import HostSystem
import Logging
import TradeJournal
import TradingCore
import ZeroMQMessaging

/// Drives the worker by what happens: peers that connect, messages, the broker's answers, signals, and time.
struct WorkerLoop {
    let worker: Worker<ZeroMQIntake>
    let journal: TradeJournal
    let databaseFiles: DatabaseFiles
    let gate: AccessGate
    let guards: EndpointGuards
    let intake: IntakeSocket
    let topic: OutcomeSocket
    let transport: HTTPTransport
    let signals: StopSignals
    let clock: HostClock
    /// Nil where no service manager has started the process.
    let service: ServiceReport?
    let log: Logger

    /// Runs until it is told to stop and the attempt under way is finished.
    func run() throws {
        var descriptors = try descriptors()
        var readable = descriptors
        var filesDue = clock.read().monotonic
        while !worker.isDrained {
            let turned = clock.read().monotonic
            service?.loopTurned(at: turned, worker.summary)
            try transport.perform()
            if turned >= filesDue {
                filesDue = turned + .seconds(1)
                if databaseFiles.areGone { journal.unusable = .filesAreGone(processID: getpid()) }
            }
            if readable.contains(signals.descriptor), signals.hasArrived() {
                log.notice("stopping: nothing more is taken, the attempt under way is finished")
                service?.stopping()
                worker.drain()
            }
            try gate.answerHandshakes()
            if let list = gate.newKeyList, try worker.keep(.allowedKeys, list.content, since: list.since) {
                gate.keyListIsKept()
            }
            if gate.mustCutOffSubscribers {
                try topic.cutOffSubscribers()
                gate.subscribersCutOff()
                descriptors = try self.descriptors()
                readable = descriptors
            }
            if topic.isUnbound, try topic.bindAgain() { try guards.open() }
            try intake.wake(by: readable)
            try topic.wake(by: readable)
            // As long as the loop does not sleep, nobody says which are readable, so all may be.
            readable = descriptors
            if try worker.turn() { continue }
            try topic.drainSubscriptions()
            // Asked last before sleeping: a ZeroMQ descriptor tells of a change only once.
            if try intake.hasWaiting() { continue }
            let untilDue = worker.nextWakeUp - clock.read().monotonic
            let sleep = topic.isUnbound ? min(untilDue, .milliseconds(5)) : untilDue
            readable = try transport.wait(
                for: descriptors, milliseconds: Int32(max(0, min(sleep.millisecondsRoundedUp, 1000))))
        }
        log.notice("stopped")
    }

    /// What is waited on.
    private func descriptors() throws -> [Int32] {
        try gate.descriptors() + intake.descriptors() + [topic.descriptor(), signals.descriptor]
    }
}
