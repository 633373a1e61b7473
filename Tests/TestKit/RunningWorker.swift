import Foundation
package import GRDB
import HostSystem
package import StrictJSON
package import WorkerClient
import ZeroMQMessaging

/// A real worker process on a state directory of its own, with a client that talks to it as strategies do.
package final class RunningWorker {
    package let stateDirectory: String
    package private(set) var intake = ""
    package private(set) var outcomes = ""
    package private(set) var pullIntake: String?
    private let arguments: [String]
    private let environment: [String: String]
    private let directory: TemporaryDirectory
    private var process: ChildProcess
    private let context: ZeroMQContext
    private var client: IntakeClient

    /// Nothing in these tests should ever take this long.
    package static let patienceMilliseconds = 180_000

    /// Starts a worker and waits until it takes decisions.
    /// - Parameter settings: More flags of `trade-executor run`.
    package init(broker: String, settings: [String] = [], environment: [String: String] = [:]) throws {
        directory = try TemporaryDirectory()
        stateDirectory = directory.path + "/state"
        arguments =
            [
                "run", "--broker-url", broker, "--state-dir", stateDirectory, "--intake", "tcp://127.0.0.1:*",
                "--outcomes", "tcp://127.0.0.1:*", "--log-level", "error",
            ] + settings
        self.environment = environment
        context = try ZeroMQContext()
        process = try ChildProcess(try BuiltPrograms.path("trade-executor"), arguments, changes: environment)
        client = try IntakeClient("inproc://none-yet", in: context)
        try awaitReady()
    }

    deinit { process.send(.kill) }

    private func awaitReady() throws {
        guard let line = try process.readLine(milliseconds: Int32(RunningWorker.patienceMilliseconds)),
            line.hasPrefix("ready ")
        else { throw TestFailure("the worker did not get ready") }
        for word in line.split(separator: " ") {
            if let text = word.after("intake=") { intake = text }
            if let text = word.after("outcomes=") { outcomes = text }
            if let text = word.after("pull_intake=") { pullIntake = text }
        }
        client = try IntakeClient(intake, in: context)
    }

    // MARK: Life and death

    package func kill() {
        process.send(.kill)
        process.waitUntilExit()
    }

    package func restart() throws {
        process.waitUntilExit()
        process = try ChildProcess(try BuiltPrograms.path("trade-executor"), arguments, changes: environment)
        try awaitReady()
    }

    package func askToStop() { process.send(.terminate) }

    /// Waits until it has ended by itself, and returns its exit code.
    package func exitCode() -> Int32? { process.waitUntilExit() }

    // MARK: Talking to it

    /// A client of one's own, as every strategy has one.
    package func newClient() throws -> IntakeClient { try IntakeClient(intake, in: context) }

    /// Sends a body and returns the answer.
    package func ask(_ body: String) throws -> JSONValue {
        guard let answer = try client.ask(Array(body.utf8), milliseconds: RunningWorker.patienceMilliseconds) else {
            throw TestFailure("no answer to \(body)")
        }
        return answer
    }

    /// Sends a decision and returns its acknowledgement.
    package func decide(_ id: String, strategy: String = "s", _ members: String = "") throws -> JSONValue {
        try ask(Self.decision(id, strategy: strategy, members))
    }

    /// Sends a body to a worker that is made to die on its way, and waits until it has died.
    package func dieOf(_ body: String) throws {
        let client = try newClient()
        // The client must live as long: its socket throws away what has not left when it is closed.
        try withExtendedLifetime(client) {
            try client.send(Array(body.utf8))
            process.waitUntilExit()
        }
    }

    /// A decision's body: ten shares of AAPL, unless `members` say otherwise.
    package static func decision(_ id: String, strategy: String = "s", _ members: String = "") -> String {
        let order = members.contains("\"symbol\"") ? "" : "\"symbol\":\"AAPL\",\"side\":\"buy\",\"quantity\":\"10\","
        let rest = members.isEmpty ? "" : "," + members
        return "{\"v\":1,\(order)\"decision_id\":\"\(id)\",\"strategy_name\":\"\(strategy)\"\(rest)}"
    }

    /// Sends a body to the endpoint that does not answer.
    package func push(_ body: String) throws {
        guard let pullIntake else { throw TestFailure("this worker has no second endpoint") }
        let socket = try ZeroMQSocket(.push, in: context)
        try socket.setLinger(10_000)
        try socket.connect(pullIntake)
        _ = try socket.send([Array(body.utf8)], wait: true)
    }

    package func follow(strategy: String? = nil, after: Int64? = 0) throws -> OutcomeFollower {
        try OutcomeFollower(outcomes: outcomes, intake: intake, strategy: strategy, after: after, in: context)
    }

    /// The outcomes from the first on, until one is as wanted.
    package func outcomes(until isLast: (JSONValue) -> Bool) throws -> [JSONValue] {
        let follower = try follow()
        var outcomes: [JSONValue] = []
        let end = Date().addingTimeInterval(Double(RunningWorker.patienceMilliseconds) / 1000)
        while Date() < end {
            guard case .outcome(let outcome)? = try follower.next(milliseconds: 200) else { continue }
            outcomes.append(outcome)
            if isLast(outcome) { return outcomes }
        }
        throw TestFailure("the outcome waited for did not come; there were \(outcomes.map(\.text))")
    }

    /// The final outcome of a decision.
    package func finalOutcome(of id: String, strategy: String = "s") throws -> JSONValue {
        let outcomes = try outcomes {
            $0["decision_id"]?.string == id && $0["strategy_name"]?.string == strategy && $0["final"]?.bool == true
        }
        guard let last = outcomes.last else { throw TestFailure("unreachable: the last one was found") }
        return last
    }

    // MARK: Its database

    /// Reads with a connection of one's own, as the sqlite3 shell does.
    package func rows(_ sql: String) throws -> [Row] {
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: stateDirectory + "/trades.db", configuration: configuration)
        return try queue.read { try Row.fetchAll($0, sql: sql) }
    }

    /// Changes the database behind the worker's back.
    package func write(_ sql: String) throws {
        let queue = try DatabaseQueue(path: stateDirectory + "/trades.db")
        try queue.write { try $0.execute(sql: sql) }
    }

    /// Copies the database as it is at one moment, as a backup does.
    package func copyDatabase(to path: String) throws {
        let queue = try DatabaseQueue(path: stateDirectory + "/trades.db")
        try queue.inDatabase { try $0.execute(sql: "VACUUM INTO ?", arguments: [path]) }
    }

    /// Puts a copy in the database's place. No worker must be running.
    package func restoreDatabase(from path: String) throws {
        for suffix in ["", "-wal", "-shm"] { _ = try Files.remove(stateDirectory + "/trades.db" + suffix) }
        try FileManager.default.moveItem(atPath: path, toPath: stateDirectory + "/trades.db")
    }

    /// The one number that a query returns.
    package func number(_ sql: String) throws -> Int {
        guard let value: Int = try rows(sql).first?[0] else { throw TestFailure("no row: \(sql)") }
        return value
    }

    /// The first column of every row as text.
    package func texts(_ sql: String) throws -> [String?] {
        try rows(sql).map { $0[0] }
    }
}

extension Substring {
    fileprivate func after(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
