import ArgumentParser
import Glibc
import HostSystem
import StrictJSON
import TradeRecords
import TradeWorker
import TradingCore
import WorkerClient
import ZeroMQMessaging

struct Reconcile: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Looks up unknown attempts at the broker now, and says what became of them.",
        discussion: """
            An attempt is unknown when its answer was lost. A running worker looks for it by itself, ever more slowly; \
            this makes it look at once. Where no worker runs, this command looks in its place, and needs the account's \
            credentials as `run` does. It only asks: no order is placed, and what waits goes on waiting.
            Exit code 0: nothing that was asked for is unknown any more; 1: some still is after the time-out. That the \
            broker does not show an order counts as absent only when it was asked several times over the settle time.
            """)

    @Argument(
        help: """
            One attempt: an Alpaca order id, client order id, decision id or execution id, as for `show`. All unknown \
            ones unless said.
            """)
    var id: String?

    @Option(help: "How many seconds to go on looking.")
    var timeout = 60

    @Flag(help: "One JSON object a line, as `show --json` prints it.")
    var json = false

    @OptionGroup var keys: ClientKeyOptions

    @OptionGroup var settings: SettingsOptions

    func validate() throws {
        guard (0...86_400).contains(timeout) else { throw ValidationError("--timeout must be from 0 to 86400 seconds") }
    }

    func run() throws {
        let place = try settings.place(keys.flags)
        let records: TradeRecords
        do {
            records = try TradeRecords(path: StateDirectory.databasePath(in: place.stateDirectory))
        } catch {
            throw Failure("\(error)")
        }
        let isRunning = try isRunning(place.stateDirectory)
        var unknown = try UnknownAttempts(named: id, in: records, isRunning: isRunning)
        guard !unknown.left.isEmpty else {
            return try StandardOutput.print { output in
                if !json { try output.line(id.map { "\($0) is not unknown" } ?? "nothing is unknown") }
            }
        }
        StandardError.line("\(unknown.left.count) unknown; asking the broker for up to \(timeout) s")
        try StandardOutput.print { output in
            let report = { try unknown.report(on: output, json: json) }
            if isRunning {
                try askWorker(try Endpoints(try place.contact()), unknown.left, report)
            } else {
                try lookInItsPlace(unknown.left, report)
            }
            _ = try report()
        }
        guard unknown.left.isEmpty else {
            throw Failure(
                "still unknown: \(unknown.left.sorted().joined(separator: ", ")). "
                    + (isRunning ? "The worker goes on looking; see" : "See")
                    + " what the broker said with `trade-executor show`, or try again")
        }
    }

    private func isRunning(_ directory: String) throws -> Bool {
        do {
            return try StateDirectory.owner(of: directory).isRunning
        } catch {
            throw Failure("\(error)")
        }
    }

    /// Has the running worker look at once, and waits for what it stores.
    private func askWorker(_ worker: Endpoints, _ wanted: Set<String>, _ report: () throws -> Bool) throws {
        let clock = SystemClock()
        let end = clock.monotonic() + .seconds(Int64(timeout))
        do {
            let client = try IntakeClient(worker.intake, keys: worker.keys, in: try ZeroMQContext())
            while true {
                for id in id == nil ? [nil] : wanted.map(Optional.some) {
                    guard let answer = try client.ask(request(id), milliseconds: 5000) else {
                        throw Failure("the worker does not answer at \(worker.intake); \(worker.advice)")
                    }
                    guard answer["type"] == "reconcile" else {
                        throw Failure("the worker does not look: \(answer["message"]?.string ?? answer.text)")
                    }
                }
                for _ in 0..<10 {
                    if try report() || clock.monotonic() >= end { return }
                    usleep(100_000)
                }
            }
        } catch let error as ZeroMQError {
            throw Failure("\(error)")
        }
    }

    private func request(_ clientOrderID: String?) -> [UInt8] {
        var writer = JSONWriter(reserving: 128)
        writer.object { writer in
            writer.member("v", 1)
            writer.member("type", "reconcile")
            // The first colon ends the strategy's name, which holds none.
            if let clientOrderID, let colon = clientOrderID.firstIndex(of: ":") {
                writer.member("strategy_name", String(clientOrderID[..<colon]))
                writer.member("decision_id", String(clientOrderID[clientOrderID.index(after: colon)...]))
            }
        }
        return writer.bytes
    }

    private func lookInItsPlace(_ wanted: Set<String>, _ report: () throws -> Bool) throws {
        let configuration = try settings.configuration()
        do {
            try Reconciliation.run(
                configuration, wanted: id == nil ? nil : wanted, for: .seconds(Int64(timeout))
            ) { _ = try report() }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("\(error)")
        }
    }
}

/// The attempts that were unknown at the start, and which of them still are.
struct UnknownAttempts {
    /// Client order ids.
    private(set) var left: Set<String>
    private let records: TradeRecords
    /// What a running worker is sending just now is not unknown; what a dead one was sending is.
    private let certainties: Set<String>

    /// - Parameters:
    ///   - id: Any name of a decision or its order; nil for all.
    ///   - isRunning: Whether a worker has these records.
    init(named id: String?, in records: TradeRecords, isRunning: Bool) throws {
        self.records = records
        let certainties: [Certainty] = isRunning ? [.unknown] : [.unknown, .sending]
        self.certainties = Set(certainties.map(\.rawValue))
        let executions: [ExecutionRecord]
        if let id {
            let contexts = try records.fullContexts(of: id)
            guard !contexts.isEmpty else { throw Failure("nothing is called \(id): no order, decision or execution") }
            executions = contexts.compactMap(\.execution)
        } else {
            executions = try records.unsettledExecutions()
        }
        left = []
        left = Set(executions.filter { isUnknown($0) }.map(\.clientOrderID))
    }

    private func isUnknown(_ execution: ExecutionRecord) -> Bool { certainties.contains(execution.certainty) }

    /// Prints those that are known by now.
    /// - Returns: Whether none is left.
    mutating func report(on output: StandardOutput, json: Bool) throws -> Bool {
        for id in left.sorted() {
            guard let context = try records.fullContexts(of: id).first(where: { $0.execution?.clientOrderID == id }),
                let execution = context.execution, !isUnknown(execution)
            else { continue }
            left.remove(id)
            if json {
                var writer = JSONWriter(reserving: 8192)
                context.write(to: &writer)
                try output.line(writer.bytes)
            } else {
                let filled = RecordText.filled(quantity: execution.filledQuantity, price: execution.filledAveragePrice)
                try output.line(
                    OutcomeText.columns([
                        (id, 32), (execution.resolution ?? "answered", 8), (execution.status, 12),
                        (filled.isEmpty ? RecordText.reason(execution, context.decision) : filled, 0),
                    ]))
            }
            try output.flush()
        }
        return left.isEmpty
    }
}
