import CZeroMQ

/// A ZeroMQ call that failed: what was being done, and ZeroMQ's error number.
package struct ZeroMQError: Error, Equatable, CustomStringConvertible {
    package let action: String
    package let number: Int32

    /// Reads the number of the call that has just failed.
    init(_ action: String) {
        self.action = action
        self.number = zmq_errno()
    }

    package var isAddressInUse: Bool { number == EADDRINUSE }

    package var description: String {
        "\(action): \(String(cString: zmq_strerror(number)))"
    }
}
