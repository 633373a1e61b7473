import Foundation
import HostSystem
import Monitoring
import StrictJSON
import TradingCore
import WorkerClient
import ZeroMQMessaging

/// Follows one partition's outcomes without missing any, on a thread of its own. It subscribes, and asks for replays and
/// for the status: nothing that it sends can trade.
final class PartitionFollowing: Sendable {
    let partition: WatchedPartition
    private let keys: ClientKeys?
    private let inbox: Inbox
    private let log: MonitorLog
    private let isStopping = Locked(false)
    /// What waits in the socket at most. A thousand outcomes are a megabyte.
    private static let queueMax: Int32 = 2000
    /// How often a halted worker is asked who has halted it.
    private static let statusInterval = Microseconds.seconds(5)

    init(_ partition: WatchedPartition, keys: ClientKeys?, inbox: Inbox, log: MonitorLog) {
        self.partition = partition
        self.keys = keys
        self.inbox = inbox
        self.log = log
    }

    /// - Parameter position: The last outcome that is stored; nil to begin with the first that the worker has.
    func start(after position: StreamPosition?) {
        Thread.detachNewThread { [self] in run(after: position) }
    }

    func stop() { isStopping.withLock { $0 = true } }

    private func run(after position: StreamPosition?) {
        var position = position
        while !isStopping.withLock({ $0 }) {
            do throws(ZeroMQError) {
                try follow(&position)
            } catch {
                post(.fault("\(error)"))
                log.line("\(partition.name) cannot be followed: \(error); trying again")
                sleep(1)
            }
        }
    }

    private func follow(_ position: inout StreamPosition?) throws(ZeroMQError) {
        let context = try ZeroMQContext()
        let follower = try OutcomeFollower(
            outcomes: partition.outcomes, intake: partition.intake, keys: keys, strategy: nil,
            after: position?.seq ?? 0, stream: position?.stream, queueMax: PartitionFollowing.queueMax, in: context)
        let questions = try IntakeClient(partition.intake, keys: keys, sendQueueMax: 8, in: context)
        let clock = SystemClock()
        var statusDue = clock.monotonic()
        var replayed: Int64 = 0
        // What the worker had when it was first heard is history to catch up with, and no gap.
        var history = Int64.max
        post(.fault(nil))
        while !isStopping.withLock({ $0 }) {
            guard let event = try follower.next(milliseconds: 200) else { continue }
            switch event {
            case .outcome(let message):
                guard let stream = follower.stream,
                    let outcome = SeenOutcome(message, partition: partition.name, stream: stream)
                else {
                    post(.unreadable)
                    continue
                }
                guard post(.outcome(outcome)) else { return }
                position = StreamPosition(stream: outcome.stream, seq: outcome.seq)
            case .heartbeat(let message):
                guard let heartbeat = Heartbeat(message) else {
                    post(.unreadable)
                    continue
                }
                history = min(history, heartbeat.seq)
                let now = clock.monotonic()
                post(.heartbeat(heartbeat, at: now))
                if let last = try lastOfRestoredCopy(heartbeat, position, questions) {
                    log.line(
                        "\(partition.name) was restored from an older copy: its outcomes end with \(last.seq), and "
                            + "\(position?.seq ?? 0) were seen; all that it has is asked for again")
                    guard post(.wentBack(partition: partition.name, to: last)) else { return }
                    position = StreamPosition(stream: last.stream, seq: 0)
                    return
                }
                if !heartbeat.halted.isEmpty, now >= statusDue {
                    statusDue = now + PartitionFollowing.statusInterval
                    try askForHalts(questions)
                }
            case .gap(let after):
                if after >= history { post(.gap) }
            case .caughtUp, .replayUnanswered: break
            case .newStream(let stream):
                post(.newStream(stream))
                log.line("\(partition.name) has another database now (stream \(stream)); its outcomes count from 1")
            }
            if follower.replayedCount > replayed {
                post(.replayed(follower.replayedCount - replayed))
                replayed = follower.replayedCount
            }
        }
    }

    private func post(_ notice: Inbox.Notice) {
        inbox.post(notice, of: partition.name, unless: isStopping)
    }

    /// - Returns: False when it is to stop.
    private func post(_ heard: Inbox.Heard) -> Bool {
        while !inbox.post(heard, unless: isStopping) {
            if isStopping.withLock({ $0 }) { return false }
            usleep(5000)
        }
        return true
    }

    /// Where the worker's numbers end if they went back below what was seen of the same database; nil where they did not.
    /// A heartbeat may have waited while newer outcomes were asked for; an answer that is asked for now has not.
    private func lastOfRestoredCopy(
        _ heartbeat: Heartbeat, _ position: StreamPosition?, _ questions: IntakeClient
    ) throws(ZeroMQError) -> StreamPosition? {
        guard let position, heartbeat.stream == position.stream, heartbeat.seq < position.seq,
            let status = try status(questions), status["stream"]?.string == position.stream,
            let seq = status["seq"]?.integer, seq < position.seq
        else { return nil }
        return StreamPosition(stream: position.stream, seq: seq)
    }

    private func status(_ questions: IntakeClient) throws(ZeroMQError) -> JSONValue? {
        try questions.ask(Array(#"{"v":1,"type":"status"}"#.utf8), milliseconds: 500) {
            $0["type"]?.string == "status"
        }
    }

    /// Asks who has halted, when and why, which heartbeats do not tell.
    private func askForHalts(_ questions: IntakeClient) throws(ZeroMQError) {
        guard let halts = try status(questions)?["halts"]?.array else { return }
        post(.halts(halts.map(HaltNotice.init)))
    }
}
