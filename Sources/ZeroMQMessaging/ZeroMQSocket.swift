import CZeroMQ
import Glibc

/// Who is let in at a bound socket.
package enum SocketGuard: Equatable, Sendable {
    /// Whoever reaches it.
    case open
    /// Whom the `HandshakeSocket` allows, unencrypted: by the user that the kernel names.
    case handshake
    /// Whom the `HandshakeSocket` allows, by key; everything is encrypted.
    /// - Parameter secretKey: The worker's, in Z85.
    case curve(secretKey: String)

    var isEncrypted: Bool {
        switch self {
        case .open, .handshake: false
        case .curve: true
        }
    }
}

/// What a client of a guarded endpoint needs.
package struct ClientKeys: Sendable {
    package let own: CurveKeyPair
    /// The worker's, in Z85.
    package let serverPublicKey: String

    package init(own: CurveKeyPair, serverPublicKey: String) {
        self.own = own
        self.serverPublicKey = serverPublicKey
    }
}

/// One ZeroMQ socket. Never to be used from two threads, so it is not Sendable.
package final class ZeroMQSocket {
    package enum Kind {
        case router
        case dealer
        case pull
        case push
        case extendedPublisher
        case subscriber
        case request
        case reply

        fileprivate var number: Int32 {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .pull: ZMQ_PULL
            case .push: ZMQ_PUSH
            case .extendedPublisher: ZMQ_XPUB
            case .subscriber: ZMQ_SUB
            case .request: ZMQ_REQ
            case .reply: ZMQ_REP
            }
        }
    }

    /// What became of a message that was handed over without waiting.
    package enum SendResult: Equatable {
        case sent
        /// The peer's queue is full. The message was dropped.
        case queueFull
        /// The peer is gone. The message was dropped.
        case unreachable
    }

    private let context: ZeroMQContext
    private let handle: UnsafeMutableRawPointer
    /// One message, reused for every receive. libzmq keeps short messages inside it, so its address must not change.
    private let message: UnsafeMutablePointer<zmq_msg_t>
    /// How many bytes CURVE adds to a frame: its word for a message, a nonce, a signature and flags.
    private var encryptionOverhead = 0

    package init(_ kind: Kind, in context: ZeroMQContext) throws(ZeroMQError) {
        guard let handle = zmq_socket(context.handle, kind.number) else { throw ZeroMQError("opening a socket") }
        self.context = context
        self.handle = handle
        message = .allocate(capacity: 1)
        message.initialize(to: zmq_msg_t())
        zmq_msg_init(message)
    }

    deinit {
        zmq_msg_close(message)
        message.deallocate()
        zmq_close(handle)
    }

    // MARK: Options

    /// How long unsent messages outlive the socket, in milliseconds.
    package func setLinger(_ milliseconds: Int32) throws(ZeroMQError) { try set(ZMQ_LINGER, milliseconds) }
    /// How many messages may wait for one peer.
    package func setSendQueueMax(_ count: Int32) throws(ZeroMQError) { try set(ZMQ_SNDHWM, count) }
    /// How many messages of one peer may wait for us.
    package func setReceiveQueueMax(_ count: Int32) throws(ZeroMQError) { try set(ZMQ_RCVHWM, count) }
    /// The largest frame in bytes; a peer that sends a larger one is disconnected.
    package func setFrameMax(_ bytes: Int64) throws(ZeroMQError) { try set(ZMQ_MAXMSGSIZE, bytes) }
    /// How long one receive waits, in milliseconds; -1 for ever.
    package func setReceiveTimeout(_ milliseconds: Int32) throws(ZeroMQError) { try set(ZMQ_RCVTIMEO, milliseconds) }
    package func setSendTimeout(_ milliseconds: Int32) throws(ZeroMQError) { try set(ZMQ_SNDTIMEO, milliseconds) }
    /// Makes a ROUTER say when a reply's addressee is gone, instead of dropping it in silence.
    package func setRouterMandatory() throws(ZeroMQError) { try set(ZMQ_ROUTER_MANDATORY, 1 as Int32) }

    /// Makes a REQ name its requests, drop answers to others, and send again before an answer has come.
    package func setRequestCorrelated() throws(ZeroMQError) {
        try set(ZMQ_REQ_CORRELATE, 1 as Int32)
        try set(ZMQ_REQ_RELAXED, 1 as Int32)
    }

    /// Makes a socket that strangers connect to safe from what aborts libzmq (4.3.4 and 4.3.5), and ends half-open
    /// handshakes after 5 s and connections to dead machines after two minutes.
    ///
    /// Where a queue is full, libzmq stops reading a connection. If that connection ends while it is stopped, libzmq
    /// notes an error, and an assertion fails as soon as a heartbeat is due for it or is found in what was read before
    /// (libzmq issues 3937, 4364, 4767): any peer can end the process. So no queue of received messages is ever full, and
    /// this side sends no heartbeats. What a peer's messages may take is bounded from outside of libzmq instead.
    package func setForStrangers() throws(ZeroMQError) {
        try set(ZMQ_RCVHWM, 0 as Int32)
        try set(ZMQ_HEARTBEAT_IVL, 0 as Int32)
        try set(ZMQ_HANDSHAKE_IVL, 5000 as Int32)
        try set(ZMQ_TCP_KEEPALIVE, 1 as Int32)
        try set(ZMQ_TCP_KEEPALIVE_IDLE, 60 as Int32)
        try set(ZMQ_TCP_KEEPALIVE_INTVL, 10 as Int32)
        try set(ZMQ_TCP_KEEPALIVE_CNT, 6 as Int32)
    }

    /// - Parameter prefix: The beginning of the topics wanted; empty for all.
    package func subscribe(_ prefix: String) throws(ZeroMQError) {
        guard zmq_setsockopt(handle, ZMQ_SUBSCRIBE, prefix, prefix.utf8.count) == 0 else {
            throw ZeroMQError("subscribing")
        }
    }

    /// Lets in whom the `HandshakeSocket` allows, and nobody where there is none. To be called before `bind`.
    /// - Parameter domain: What the handshakes of this socket are told apart by.
    package func setGuard(_ guardKind: SocketGuard, domain: String) throws(ZeroMQError) {
        switch guardKind {
        case .open: return
        case .handshake: break
        case .curve(let secretKey):
            encryptionOverhead = 33
            try set(ZMQ_CURVE_SERVER, 1 as Int32)
            try set(ZMQ_CURVE_SECRETKEY, secretKey)
        }
        try set(ZMQ_ZAP_DOMAIN, domain)
        // Without it a missing handler would let everybody in (measured; ZMQ_ZAP_ENFORCE_DOMAIN is a draft in zmq.h).
        try set(93, 1 as Int32)
    }

    /// Encrypts, proves who we are, and that the other side is the one we mean. To be called before `connect`.
    package func setKeys(_ keys: ClientKeys) throws(ZeroMQError) {
        try set(ZMQ_CURVE_SERVERKEY, keys.serverPublicKey)
        try set(ZMQ_CURVE_PUBLICKEY, keys.own.publicKey)
        try set(ZMQ_CURVE_SECRETKEY, keys.own.secretKey)
    }

    private func set(_ option: Int32, _ text: String) throws(ZeroMQError) {
        guard zmq_setsockopt(handle, option, text, text.utf8.count) == 0 else {
            throw ZeroMQError("setting socket option \(option)")
        }
    }

    private func set<Value: FixedWidthInteger>(_ option: Int32, _ value: Value) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Value>.size) == 0 else {
            throw ZeroMQError("setting socket option \(option)")
        }
    }

    // MARK: Endpoints

    /// Binds, and returns the endpoint with the port that a wildcard stood for. The file of an `ipc://` endpoint is
    /// made for this user only.
    package func bind(_ endpoint: String) throws(ZeroMQError) -> String {
        try allowIPv6(endpoint)
        let previousMask = umask(0o177)
        let result = zmq_bind(handle, endpoint)
        let error = ZeroMQError("binding \(endpoint)")
        umask(previousMask)
        guard result == 0 else { throw error }

        var length = 256
        var buffer = [CChar](repeating: 0, count: length)
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &buffer, &length) == 0 else {
            throw ZeroMQError("asking for the endpoint of \(endpoint)")
        }
        return String(decoding: buffer.prefix(max(length - 1, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package func unbind(_ endpoint: String) throws(ZeroMQError) {
        guard zmq_unbind(handle, endpoint) == 0 else { throw ZeroMQError("unbinding \(endpoint)") }
    }

    package func connect(_ endpoint: String) throws(ZeroMQError) {
        try allowIPv6(endpoint)
        guard zmq_connect(handle, endpoint) == 0 else { throw ZeroMQError("connecting to \(endpoint)") }
    }

    /// ZeroMQ takes addresses in brackets only where it is told to.
    private func allowIPv6(_ endpoint: String) throws(ZeroMQError) {
        if endpoint.hasPrefix("tcp://[") { try set(ZMQ_IPV6, 1 as Int32) }
    }

    // MARK: Waiting

    /// The descriptor to wait on. It becomes readable when something *may* have changed, once for each change; after
    /// any call on this socket `isReadable` must be asked before sleeping.
    package func descriptor() throws(ZeroMQError) -> Int32 {
        try get(ZMQ_FD)
    }

    package func isReadable() throws(ZeroMQError) -> Bool {
        try get(ZMQ_EVENTS) & Int32(ZMQ_POLLIN) != 0
    }

    /// Waits until there is something to receive; false when `milliseconds` have passed without.
    package func waitUntilReadable(milliseconds: Int) throws(ZeroMQError) -> Bool {
        var item = zmq_pollitem_t(socket: handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        let count = zmq_poll(&item, 1, milliseconds)
        if count < 0, zmq_errno() != EINTR { throw ZeroMQError("waiting for messages") }
        return count > 0
    }

    private func get(_ option: Int32) throws(ZeroMQError) -> Int32 {
        var value: Int32 = 0
        var size = MemoryLayout<Int32>.size
        while zmq_getsockopt(handle, option, &value, &size) != 0 {
            guard zmq_errno() == EINTR else { throw ZeroMQError("reading socket option \(option)") }
        }
        return value
    }

    // MARK: Messages

    /// One frame: its bytes, and whether more frames of the same message follow. Of the last, the peer's address and
    /// what the `HandshakeSocket` called it, where known.
    package struct Frame {
        /// Its first bytes, as many as were asked for.
        package let bytes: [UInt8]
        /// How many bytes it had when it came.
        package let size: Int
        package let hasMore: Bool
        package let peerAddress: String?
        package let userID: String?
    }

    /// The next frame; nil when nothing waits (or the receive timeout passed).
    /// - Parameter bytesMax: How many of its bytes are wanted.
    package func receive(wait: Bool = false, bytesMax: Int = .max) throws(ZeroMQError) -> Frame? {
        while zmq_msg_recv(message, handle, wait ? 0 : ZMQ_DONTWAIT) < 0 {
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return nil
            default: throw ZeroMQError("receiving")
            }
        }
        let size = zmq_msg_size(message)
        let bytes = Array(UnsafeRawBufferPointer(start: zmq_msg_data(message), count: min(size, bytesMax)))
        let hasMore = zmq_msg_more(message) != 0
        guard !hasMore else { return Frame(bytes: bytes, size: size, hasMore: true, peerAddress: nil, userID: nil) }
        // libzmq 4.3.4 gives them with a message's body, and not with the frames before it.
        return Frame(
            bytes: bytes, size: size, hasMore: false, peerAddress: property("Peer-Address"),
            userID: property("User-Id"))
    }

    private func property(_ name: String) -> String? {
        zmq_msg_gets(message, name).map { String(cString: $0) }
    }

    /// All frames of the next message, at most `framesMax` of them; the rest is read and thrown away.
    /// - Parameter bytesMax: How many bytes of each frame are wanted.
    package func receiveMessage(
        wait: Bool = false, framesMax: Int = 8, bytesMax: Int = .max
    ) throws(ZeroMQError) -> [Frame]? {
        try receiveCounted(wait: wait, framesMax: framesMax, bytesMax: bytesMax)?.frames
    }

    /// A message, and what it took to carry it.
    struct CountedMessage {
        var frames: [Frame] = []
        /// All frames, those that were thrown away as well, and what is put around each on the wire.
        var bytes = 0
        /// What is known of the sender, which stands with the last frame, thrown away or not.
        var peerAddress: String?
        var userID: String?
        /// The descriptor of the connection that it came over; nil where ZeroMQ does not tell.
        var connection: Int32?

        fileprivate mutating func add(_ frame: Frame, isKept: Bool, overhead: Int) {
            if isKept { frames.append(frame) }
            let size = frame.size + overhead
            // Flags and size, which take one or eight bytes.
            bytes += size + (size > 255 ? 9 : 2)
        }
    }

    func receiveCounted(
        wait: Bool = false, framesMax: Int, bytesMax: Int
    ) throws(ZeroMQError) -> CountedMessage? {
        guard var frame = try receive(wait: wait, bytesMax: bytesMax) else { return nil }
        var counted = CountedMessage()
        counted.add(frame, isKept: true, overhead: encryptionOverhead)
        while frame.hasMore {
            let isKept = counted.frames.count <= framesMax
            guard let next = try receive(wait: true, bytesMax: isKept ? bytesMax : 0) else { break }
            frame = next
            counted.add(frame, isKept: isKept, overhead: encryptionOverhead)
        }
        counted.peerAddress = frame.peerAddress
        counted.userID = frame.userID
        let connection = zmq_msg_get(message, ZMQ_SRCFD)
        counted.connection = connection >= 0 ? connection : nil
        return counted
    }

    /// Hands over all frames of a message without waiting.
    package func send(_ frames: [[UInt8]], wait: Bool = false) throws(ZeroMQError) -> SendResult {
        for (index, frame) in frames.enumerated() {
            let more = index < frames.count - 1 ? ZMQ_SNDMORE : 0
            while zmq_send(handle, frame, frame.count, (wait ? 0 : ZMQ_DONTWAIT) | more) < 0 {
                switch zmq_errno() {
                case EINTR: continue
                case EAGAIN: return .queueFull
                case EHOSTUNREACH: return .unreachable
                default: throw ZeroMQError("sending")
                }
            }
        }
        return .sent
    }
}
