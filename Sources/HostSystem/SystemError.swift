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

    /// Whether something could not be made because its directory is not there.
    package var isOfMissingDirectory: Bool { number == ENOENT && action.hasPrefix("creating ") }

    /// Whether the disk, or what this user may have of it, is used up.
    package var isForWantOfRoom: Bool { number == ENOSPC || number == EDQUOT || number == EFBIG }

    package var description: String {
        let text = "\(action): \(String(cString: strerror(number)))"
        if number == EACCES { return "\(text) to user id \(geteuid()); do it as the user whom it belongs to" }
        return isForWantOfRoom ? "\(text); make room there" : text
    }
}
