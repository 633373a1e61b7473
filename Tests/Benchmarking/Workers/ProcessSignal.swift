import Glibc

enum ProcessSignal {
    /// Asks a process to stop that this one has started through another.
    static func terminate(_ process: Int32) throws(BenchmarkFailure) {
        guard kill(process, SIGTERM) == 0 else { throw BenchmarkFailure(system: "stopping process \(process)") }
    }
}
