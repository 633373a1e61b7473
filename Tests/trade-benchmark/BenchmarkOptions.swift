import ArgumentParser
import Benchmarking
import Foundation
import HostSystem

/// Where the programs are.
struct ProgramOptions: ParsableArguments {
    @Option(help: "The trade-executor to measure; by default the one beside this program.")
    var tradeExecutor: String?

    @Option(help: "The Python with what Tests/PythonTests/requirements.txt names.")
    var python = ".build/python/bin/python"

    @Option(help: "The Python worker.")
    var pythonWorker = "Tests/Benchmarking/python_worker.py"

    func programs() throws -> BenchmarkPrograms {
        let programs = BenchmarkPrograms(
            benchmark: try ThisProgram.path(),
            tradeExecutor: try tradeExecutor ?? ThisProgram.neighbour("trade-executor"), python: python,
            pythonWorker: pythonWorker)
        guard access(programs.tradeExecutor, X_OK) == 0 else {
            throw ValidationError("\(programs.tradeExecutor) is no program; bash deploy/bench.sh builds it")
        }
        return programs
    }
}

/// A place to measure at, `name=path` on the command line.
struct LocationArgument: ExpressibleByArgument {
    let directory: WorkingDirectory

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        directory = WorkingDirectory(location: parts[0], in: parts[1])
    }

    static let standard = [".build/benchmark", "/dev/shm"].enumerated().compactMap { index, path in
        LocationArgument(argument: "\(index == 0 ? "disk" : "tmpfs")=\(path)")
    }

    static let help: ArgumentHelp =
        "A place to measure at, name=path; may be given several times. By default disk=.build/benchmark and tmpfs=/dev/shm."
}

enum Progress {
    /// The seconds count from here.
    static func begin() { _ = Clock.elapsedSeconds() }

    /// A line on standard error, with the seconds since the beginning.
    static func tell(_ text: String) {
        // The tables so far come before it where both go to one place.
        fflush(nil)
        FileHandle.standardError.write(Data("[\(Clock.elapsedSeconds()) s] \(text)\n".utf8))
    }
}
