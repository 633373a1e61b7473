import CZeroMQ

/// ZeroMQ's threads and queues. One for the whole process; sockets keep it alive.
package final class ZeroMQContext {
    let handle: UnsafeMutableRawPointer

    package init() throws(ZeroMQError) {
        guard let handle = zmq_ctx_new() else { throw ZeroMQError("starting ZeroMQ") }
        self.handle = handle
    }

    deinit {
        // Waits until the sockets' LINGER has passed; interrupted by a signal it must be called again.
        while zmq_ctx_term(handle) != 0, zmq_errno() == EINTR {}
    }
}
