import Foundation
import StrictJSON
import TestKit

/// The built program, run as a process of its own, and what it said.
struct CommandRun {
    let exitCode: Int32
    let output: String
    let errors: String

    /// - Parameters:
    ///   - arguments: Of `trade-executor`.
    ///   - environment: Beside this, the program sees no settings of the one who runs the tests.
    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        try self.init(program: try BuiltPrograms.path("trade-executor"), arguments, environment)
    }

    /// Runs a script of the shell; `$0` is the program.
    init(shell script: String, _ arguments: [String]) throws {
        try self.init(program: "/bin/sh", ["-c", script, try BuiltPrograms.path("trade-executor")] + arguments, [:])
    }

    private init(program: String, _ arguments: [String], _ environment: [String: String]) throws {
        let directory = try TemporaryDirectory()
        let outputPath = directory.path + "/output"
        let errorPath = directory.path + "/errors"
        for path in [outputPath, errorPath] { try Data().write(to: URL(fileURLWithPath: path)) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        // Files hold any amount, where a pipe that nobody reads would not.
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: outputPath))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorPath))
        process.standardInput = FileHandle.nullDevice
        var variables = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("TRADE_EXECUTOR_") && !$0.key.hasPrefix("APCA_") && $0.key != "XDG_STATE_HOME"
        }
        variables["HOME"] = directory.path
        variables.merge(environment) { _, new in new }
        process.environment = variables
        try process.run()
        process.waitUntilExit()
        exitCode = process.terminationStatus
        output = try String(contentsOfFile: outputPath, encoding: .utf8)
        errors = try String(contentsOfFile: errorPath, encoding: .utf8)
    }

    var lines: [String] { output.split(separator: "\n").map(String.init) }
    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

    /// The lines of the output as JSON.
    func json() throws -> [JSONValue] { try lines.map { try JSONValue(parsing: $0) } }
}

/// A state directory, with a history where one is wanted.
final class StateOnDisk {
    let path: String
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path
    }

    func history() throws -> TradeHistory {
        try TradeHistory(path: path + "/trades.db", start: "2026-11-22T14:00:00Z")
    }

    /// Three executions and a decision that was refused.
    static func withTrades() throws -> StateOnDisk {
        let state = try StateOnDisk()
        let history = try state.history()
        let order = TradeHistory.order("o-1", client: "mean-rev:d-1", status: "filled", filled: "10", price: "150.25")
        try history.execute("d-1", strategy: "mean-rev", ending: .order(order))
        try history.execute(
            "d-2", strategy: "mean-rev",
            ending: .error(status: 403, body: #"{"code":40310000,"message":"insufficient buying power"}"#))
        try history.execute("d-1", strategy: "pairs", ending: .lost("Timeout was reached"))
        try history.refuse("d-2", strategy: "pairs")
        return state
    }

    func run(_ arguments: String...) throws -> CommandRun {
        try CommandRun(arguments + ["--state-dir", path])
    }
}
