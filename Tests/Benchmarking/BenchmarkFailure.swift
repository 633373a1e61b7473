import Glibc

/// Why a measurement cannot be made: one line.
package struct BenchmarkFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// Reads the number of the system call that has just failed.
    init(system action: String) {
        description = "\(action): \(String(cString: strerror(errno)))"
    }
}
