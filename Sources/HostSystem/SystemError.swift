import Glibc

/// A call to the operating system that failed: what was being done, and the error number.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    package let action: String
    package let number: Int32

    /// Reads the number of the call that has just failed.
    init(_ action: String) {
        number = errno
        self.action = action
    }

    init(_ action: String, number: Int32) {
        self.number = number
        self.action = action
    }

    package var description: String { "\(action): \(String(cString: strerror(number)))" }
}
