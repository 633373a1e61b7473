import Glibc
import HostSystem
import StrictJSON
import TradeRecords
import TradeWorker
import TradingCore
import WorkerClient
import ZeroMQMessaging

/// What can be learned of a worker from outside: from its state directory, and from itself.
struct StatusReport {
    enum Worker {
        case stopped
        case notAnswering(processID: String?, why: String)
        /// What it says of itself.
        case answering(processID: String?, JSONValue)
    }

    enum Database {
        case read(DatabaseCounts)
        case unreadable(RecordsFault)
    }

    let partition: PartitionName
    let stateDirectory: String
    let worker: Worker
    let database: Database
    let halts: [Halt]
    /// The files among the halts that halt nothing.
    let strayHaltFiles: [String]
    let at: Timestamp

    private static let patienceMilliseconds = 1500

    init(place: WorkerPlace) throws {
        partition = place.partition
        stateDirectory = place.stateDirectory
        at = SystemClock().now()
        do {
            guard try Files.exists(stateDirectory) else {
                throw Failure(
                    "there is no state directory \(stateDirectory): no worker has run there yet; check --state-dir "
                        + "and --partition")
            }
            let haltFiles = HaltFiles(stateDirectory: stateDirectory)
            let files = try StatusReport.halts(haltFiles)
            strayHaltFiles = (try? haltFiles.strays()) ?? []
            database = try StatusReport.database(in: stateDirectory)
            let owner = try StateDirectory.owner(of: stateDirectory)
            worker = owner.isRunning ? try StatusReport.ask(place, owner.processID, database) : .stopped
            halts = files + StatusReport.inMemory(worker, besides: files)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("\(error)")
        }
    }

    /// The halts in force as the worker sees them: where nobody can tell, all is halted. What only this user may not read
    /// says nothing of that.
    private static func halts(_ files: HaltFiles) throws(SystemError) -> [Halt] {
        do throws(SystemError) {
            return try files.list()
        } catch {
            guard error.number != EACCES else { throw error }
            return [Halt(unreadable: .all, "the halt files cannot be read: \(error)")]
        }
    }

    /// The worker's own halt, where its file could not be written.
    private static func inMemory(_ worker: Worker, besides files: [Halt]) -> [Halt] {
        guard case .answering(_, let answer) = worker, !files.contains(where: { $0.scope == .all }) else { return [] }
        return (answer["halts"]?.array ?? []).filter { $0["scope"] == "all" && $0["by"] == "trade-executor" }
            .map { Halt(.all, $0) }
    }

    private static func database(in directory: String) throws -> Database {
        do {
            return .read(try TradeRecords(path: StateDirectory.databasePath(in: directory)).counts())
        } catch let fault as RecordsFault {
            return .unreadable(fault)
        }
    }

    private static func ask(_ place: WorkerPlace, _ processID: String?, _ database: Database) throws -> Worker {
        let contact: Endpoints
        do {
            contact = try Endpoints(try place.contact())
        } catch {
            return .notAnswering(processID: processID, why: "it cannot be asked: \(error)")
        }
        let endpoint = contact.intake
        let answer: JSONValue?
        do {
            let client = try IntakeClient(endpoint, keys: contact.keys, in: try ZeroMQContext())
            answer = try client.ask(Array(#"{"v":1,"type":"status"}"#.utf8), milliseconds: patienceMilliseconds)
        } catch {
            return .notAnswering(processID: processID, why: "\(error)")
        }
        guard let answer else {
            return .notAnswering(
                processID: processID,
                why: "nothing came from \(endpoint) in 1.5 s; is --intake the one it runs with? \(contact.advice)")
        }
        if answer["code"] == "not_authorised" {
            return .notAnswering(processID: processID, why: answer["message"]?.string ?? "this key may not ask")
        }
        guard answer["type"]?.string == "status" else {
            return .notAnswering(processID: processID, why: "what answers at \(endpoint) is no worker")
        }
        if case .read(let counts) = database, let stream = answer["stream"]?.string, stream != counts.stream {
            let partition = answer["partition"]?.string ?? "?"
            return .notAnswering(
                processID: processID,
                why: "another worker answers at \(endpoint), of partition \(partition); say --intake")
        }
        return .answering(processID: processID, answer)
    }

    /// What a probe should know of: why this worker does not trade, or cannot be known to.
    var problem: String? {
        switch worker {
        case .stopped: return "no worker is running on \(stateDirectory)"
        case .notAnswering(let processID, let why):
            return "the worker\(StatusText.process(processID)) is running but not answering: \(why)"
        case .answering(_, let answer):
            if let fault = answer["storage_fault"]?.string { return "the worker cannot store: \(fault)" }
        }
        if let halt = halts.first(where: { $0.scope == .all }) { return "halted \(HaltText.details(halt))" }
        return nil
    }

    /// - Parameter more: Writes further members.
    func write(to writer: inout JSONWriter, more: (inout JSONWriter) -> Void = { _ in }) {
        writer.object { writer in
            writer.member("partition", partition.text)
            writer.member("state_dir", stateDirectory)
            writer.member("at", at.text)
            writeWorker(to: &writer)
            writer.key("database")
            switch database {
            case .read(let counts): counts.write(to: &writer)
            case .unreadable: writer.null()
            }
            if case .unreadable(let fault) = database { writer.member("database_error", fault.description) }
            writer.key("halts")
            writer.array { writer in
                for halt in halts { halt.json.write(to: &writer) }
            }
            writer.key("stray_halt_files")
            writer.array { writer in
                for name in strayHaltFiles { writer.string(name) }
            }
            writer.member("ok", problem == nil)
            writer.member("problem", problem)
            more(&writer)
        }
    }

    private func writeWorker(to writer: inout JSONWriter) {
        switch worker {
        case .stopped:
            writer.member("running", false)
            writer.member("answering", false)
            writer.member("process_id", nil as Int?)
            writer.member("worker", nil as String?)
        case .notAnswering(let processID, _):
            writer.member("running", true)
            writer.member("answering", false)
            writer.member("process_id", processID.flatMap { Int($0) })
            writer.member("worker", nil as String?)
        case .answering(let processID, let answer):
            writer.member("running", true)
            writer.member("answering", true)
            writer.member("process_id", processID.flatMap { Int($0) })
            writer.key("worker")
            answer.write(to: &writer)
        }
    }
}

extension DatabaseCounts {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("stream", stream)
            writer.member("last_decision", lastDecision)
            writer.member("pending", pending)
            writer.member("oldest_pending_received_at", oldestPendingReceivedAt)
            writer.member("executing", executing)
            writer.member("unknown", unknown)
            writer.member("refused_messages", refusedMessages)
            writer.member("last_seq", lastSeq)
            writer.member("last_outcome_at", lastOutcomeAt)
            writer.member("size_bytes", sizeInBytes)
            writer.key("restoration")
            if let restoration { writer.object { restoration.writeMembers(to: &$0) } } else { writer.null() }
        }
    }
}
