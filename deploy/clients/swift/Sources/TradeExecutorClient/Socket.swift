import CZeroMQ
import Foundation

/// ZeroMQ's threads and queues: one for the whole process, thread-safe.
nonisolated(unsafe) private let context = zmq_ctx_new()

/// One connected ZeroMQ socket, closed when it is let go of.
final class Socket {
    enum Kind {
        case dealer
        case subscriber(topics: [String])
    }

    private let handle: UnsafeMutableRawPointer

    init(_ kind: Kind, _ endpoint: String, _ keys: CurveKeys?) throws(ClientError) {
        let number =
            switch kind {
            case .dealer: ZMQ_DEALER
            case .subscriber: ZMQ_SUB
            }
        guard let handle = zmq_socket(context, number) else { throw Self.failure("opening a socket") }
        self.handle = handle
        try set(ZMQ_LINGER, 0)
        if let keys {
            try set(ZMQ_CURVE_PUBLICKEY, keys.publicKey)
            try set(ZMQ_CURVE_SECRETKEY, keys.secretKey)
            try set(ZMQ_CURVE_SERVERKEY, keys.serverKey)
        }
        if case .subscriber(let topics) = kind {
            for topic in topics { try set(ZMQ_SUBSCRIBE, topic) }
        }
        guard zmq_connect(handle, endpoint) == 0 else { throw Self.failure("connecting to \(endpoint)") }
    }

    deinit {
        zmq_close(handle)
    }

    func send(_ body: Data) throws(ClientError) {
        while body.withUnsafeBytes({ zmq_send(handle, $0.baseAddress, $0.count, 0) }) < 0 {
            guard zmq_errno() == EINTR else { throw Self.failure("sending") }
        }
    }

    /// The last frame of the next message; nil where none has come.
    func receive(within wait: Duration) throws(ClientError) -> JSON? {
        let milliseconds = wait / .milliseconds(1)
        try set(ZMQ_RCVTIMEO, Int32(max(milliseconds, 1)))
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        repeat {
            while zmq_msg_recv(&message, handle, 0) < 0 {
                switch zmq_errno() {
                case EINTR: continue
                case EAGAIN: return nil
                default: throw Self.failure("receiving")
                }
            }
        } while zmq_msg_more(&message) != 0
        return try JSON.read(Data(bytes: zmq_msg_data(&message), count: zmq_msg_size(&message)))
    }

    private func set(_ option: Int32, _ value: Int32) throws(ClientError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Int32>.size) == 0 else {
            throw Self.failure("setting socket option \(option)")
        }
    }

    private func set(_ option: Int32, _ value: String) throws(ClientError) {
        guard zmq_setsockopt(handle, option, value, value.utf8.count) == 0 else {
            throw Self.failure("setting socket option \(option)")
        }
    }

    private static func failure(_ what: String) -> ClientError {
        .socket("\(what): \(String(cString: zmq_strerror(zmq_errno())))")
    }
}
