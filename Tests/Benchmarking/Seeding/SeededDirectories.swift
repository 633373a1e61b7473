import Glibc
import HostSystem

/// The seeded state directories of all workers at one location. They are made once and used in place, so they grow by what
/// is measured on them: copying gigabytes before every run would take longer than the run.
package enum SeededDirectories {
    /// What an execution takes of either worker at most, while it is being made.
    private static let bytesPerExecution: Int64 = 8000

    /// Makes what is missing at every location: written at the first, copied to the others.
    /// - Parameter progress: Told from time to time how far it is.
    package static func prepare(
        _ directories: [WorkingDirectory], count: Int, workers: [BenchmarkedWorker], _ programs: BenchmarkPrograms,
        progress: (String) -> Void
    ) throws {
        guard let first = directories.first else { return }
        for worker in BenchmarkedWorker.allCases where worker == .tradeExecutor || workers.contains(worker) {
            for directory in directories {
                let target = worker.stateDirectory(in: directory.seeded(count))
                // One that grew in an earlier run will do.
                if try SeededDatabase.count(in: target) ?? 0 >= count { continue }
                try WorkingDirectory.remove(target)
                if directory.path == first.path {
                    try make(worker, directory, count, programs, progress)
                } else {
                    progress("\(directory.location): copying \(Figure.grouped(count)) executions, \(worker.rawValue)")
                    try WorkingDirectory.copy(worker.stateDirectory(in: first.seeded(count)), to: target)
                }
            }
        }
        // What is still on its way to the disk would bend the first figures.
        sync()
    }

    /// Throws before anything is measured where there is no room for databases with so many executions.
    package static func checkRoom(_ directories: [WorkingDirectory], counts: [Int]) throws {
        for directory in directories {
            let missing = try counts.filter { count in
                let state = BenchmarkedWorker.tradeExecutor.stateDirectory(in: directory.seeded(count))
                return try SeededDatabase.count(in: state) ?? 0 < count
            }
            let needed = Int64(missing.reduce(0, +)) * bytesPerExecution
            let free = try directory.freeBytes()
            guard free >= needed else {
                throw BenchmarkFailure(
                    """
                    \(directory.path) has \(Figure.grouped(Int(free))) bytes left and \
                    \(Figure.grouped(Int(needed))) are needed; choose another place with --directory, or fewer \
                    executions with --seeded
                    """)
            }
        }
    }

    private static func make(
        _ worker: BenchmarkedWorker, _ directory: WorkingDirectory, _ count: Int, _ programs: BenchmarkPrograms,
        _ progress: (String) -> Void
    ) throws {
        let shared = directory.seeded(count)
        let target = worker.stateDirectory(in: shared)
        switch worker {
        case .tradeExecutor:
            try SeededDatabase.make(in: target, count: count, now: SystemClock().now()) { done in
                progress(
                    "\(directory.location): \(Figure.grouped(done)) of \(Figure.grouped(count)) executions written")
            }
        case .python:
            progress("\(directory.location): the same for the Python worker")
            // It makes its tables when it starts.
            try WorkerUnderTest(worker, programs, stateDirectory: target, brokerURL: "http://127.0.0.1:1").stop()
            try PythonSeeding.copy(from: BenchmarkedWorker.tradeExecutor.stateDirectory(in: shared), to: target)
        }
    }
}
