import HostSystem

/// The seeded state directories of all workers at one location. They are made once and used in place, so they grow by what
/// is measured on them: copying gigabytes before every run would take longer than the run.
package enum SeededDirectories {
    /// An execution takes some 4 kB for trade-executor and 3 kB for the Python worker, the log and some room not counted.
    private static let bytesPerExecution: Int64 = 9000

    /// Makes what is missing.
    /// - Parameter progress: Told from time to time how far it is.
    package static func prepare(
        _ directory: WorkingDirectory, count: Int, workers: [BenchmarkedWorker], _ programs: BenchmarkPrograms,
        progress: (String) -> Void
    ) throws {
        let shared = directory.seeded(count)
        let ours = BenchmarkedWorker.tradeExecutor.stateDirectory(in: shared)
        if try SeededDatabase.count(in: ours) ?? 0 < count {
            try WorkingDirectory.remove(shared)
            let free = try directory.freeBytes()
            guard free > Int64(count) * bytesPerExecution else {
                throw BenchmarkFailure(
                    "\(directory.path) has \(Figure.grouped(Int(free))) bytes left, too few for \(count) executions; "
                        + "choose another with --directory, or fewer with --seeded")
            }
            try SeededDatabase.make(in: ours, count: count, now: SystemClock().now()) { done in
                progress(
                    "\(directory.location): \(Figure.grouped(done)) of \(Figure.grouped(count)) executions written")
            }
        }
        let theirs = BenchmarkedWorker.python.stateDirectory(in: shared)
        if workers.contains(.python), try SeededDatabase.count(in: theirs) ?? 0 < count {
            progress("\(directory.location): copying them for the Python worker")
            try WorkingDirectory.remove(theirs)
            // It makes its tables when it starts.
            try WorkerUnderTest(.python, programs, stateDirectory: theirs, brokerURL: "http://127.0.0.1:1").stop()
            try PythonSeeding.copy(from: ours, to: theirs)
        }
    }
}
