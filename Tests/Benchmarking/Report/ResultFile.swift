import Glibc

/// A file of results, one JSON object a line; each line is there as soon as it is known.
package final class ResultFile {
    private let file: UnsafeMutablePointer<FILE>?

    /// - Parameter path: Nil where nobody wants a file.
    package init(_ path: String?) throws(BenchmarkFailure) {
        guard let path else {
            file = nil
            return
        }
        file = fopen(path, "w")
        guard file != nil else { throw BenchmarkFailure(system: "creating \(path)") }
    }

    deinit {
        if let file { fclose(file) }
    }

    func write(_ line: String) throws(BenchmarkFailure) {
        guard let file else { return }
        guard fputs(line + "\n", file) >= 0, fflush(file) == 0 else {
            throw BenchmarkFailure(system: "writing the results")
        }
    }
}
