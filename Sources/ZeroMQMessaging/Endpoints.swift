import Glibc

/// The worker's intake: a ROUTER that answers each message, and, where the operator wants it, a PULL that does not.
package final class IntakeSocket {
    /// One message as it came.
    package struct Message {
        /// Where a reply goes; nil for a message that gets none, or whose sender is known to be gone.
        package let returnAddress: ReturnAddress?
        /// One byte more than `bodyBytesMax` of a body that is longer.
        package let body: [UInt8]
        /// The peer's network address where ZeroMQ knows it.
        package let address: String?
        /// What the `HandshakeSocket` called it; nil at an open endpoint.
        package let userID: String?
        /// What there is too much of, beside the body; nil for an ordinary message.
        package let excess: Excess?
        /// The connection it came over, and how many bytes of that it was, or a few more.
        package let passage: Passage?
    }

    /// Bytes that went over a connection.
    package struct Passage {
        /// The descriptor of the connection's socket.
        package let connection: Int32
        package let bytes: Int
    }

    /// What a reply is addressed with.
    package struct ReturnAddress {
        /// The frames before the body, echoed unchanged.
        fileprivate let envelope: [[UInt8]]
        fileprivate let connection: Int32?
    }

    package enum Excess {
        /// More frames than `framesMax`.
        case frames
        /// Frames before the body of more than `envelopeBytesMax` in all. They are not echoed.
        case envelope
    }

    /// The most frames of one message, the body included.
    package static let framesMax = 8
    /// The most bytes of the frames before the body.
    package static let envelopeBytesMax = 4096
    /// The most bytes of a body.
    package static let bodyBytesMax = 65_536

    /// The endpoint that is bound, with the port that a wildcard stood for.
    package let endpoint: String
    /// The same of the PULL socket; nil where there is none.
    package let pullEndpoint: String?
    private let router: ZeroMQSocket
    private let pull: ZeroMQSocket?
    /// Whether a message may wait. A descriptor tells of one only once, and an answer may swallow what it tells.
    private var mayHaveMessages = true
    /// The ROUTER's names of connections that are known to be gone. Their messages may still wait, and until the last is
    /// received, ZeroMQ holds all answers that they never took.
    private var gone: Set<[UInt8]> = []
    private static let goneMax = 4096

    /// - Parameters:
    ///   - pullEndpoint: Where messages without an answer are taken; nil for nowhere.
    ///   - guardKind: Who is let in, at each endpoint.
    package init(
        _ endpoint: String, pull pullEndpoint: String?, guard guardKind: (String) -> SocketGuard = { _ in .open },
        in context: ZeroMQContext
    ) throws(ZeroMQError) {
        router = try ZeroMQSocket(.router, in: context)
        try router.setRouterMandatory()
        try IntakeSocket.configure(router)
        try router.setGuard(guardKind(endpoint), domain: HandshakeSocket.Domain.intake.rawValue)
        self.endpoint = try router.bind(endpoint)
        if let pullEndpoint {
            let socket = try ZeroMQSocket(.pull, in: context)
            try IntakeSocket.configure(socket)
            try socket.setGuard(guardKind(pullEndpoint), domain: HandshakeSocket.Domain.intake.rawValue)
            self.pullEndpoint = try socket.bind(pullEndpoint)
            pull = socket
        } else {
            self.pullEndpoint = nil
            pull = nil
        }
    }

    /// Frames of up to 1 MiB are let in, so that a body over the contract's 64 KiB gets an answer and not a silence.
    private static func configure(_ socket: ZeroMQSocket) throws(ZeroMQError) {
        try socket.setFrameMax(1 << 20)
        try socket.setForStrangers()
        try socket.setLinger(1000)
    }

    package func descriptors() throws(ZeroMQError) -> [Int32] {
        var descriptors = [try router.descriptor()]
        if let pull { descriptors.append(try pull.descriptor()) }
        return descriptors
    }

    /// Takes note of which descriptors have become readable.
    package func wake(by readable: [Int32]) throws(ZeroMQError) {
        guard !readable.isEmpty else { return }
        for descriptor in try descriptors() where readable.contains(descriptor) { mayHaveMessages = true }
    }

    /// To be asked last before sleeping.
    package func hasWaiting() throws(ZeroMQError) -> Bool {
        guard mayHaveMessages else { return false }
        mayHaveMessages = try router.isReadable()
        if !mayHaveMessages { mayHaveMessages = try pull?.isReadable() ?? false }
        return mayHaveMessages
    }

    /// The next message, the ROUTER's first; nil when none waits.
    package func receive() throws(ZeroMQError) -> Message? {
        guard mayHaveMessages else { return nil }
        if let counted = try router.receiveCounted(
            framesMax: IntakeSocket.framesMax + 1, bytesMax: IntakeSocket.bodyBytesMax + 1)
        {
            // The first frame is the ROUTER's own name for the connection, which the sender did not send.
            return message(counted, counted.frames.dropFirst(), from: counted.frames[0])
        }
        if let pull,
            let counted = try pull.receiveCounted(
                framesMax: IntakeSocket.framesMax, bytesMax: IntakeSocket.bodyBytesMax + 1)
        {
            return message(counted, counted.frames[...], from: nil)
        }
        mayHaveMessages = false
        return nil
    }

    /// - Parameters:
    ///   - frames: Those that the sender sent.
    ///   - name: The frame that a reply must begin with; nil where none is sent.
    private func message(
        _ counted: ZeroMQSocket.CountedMessage, _ frames: ArraySlice<ZeroMQSocket.Frame>, from name: ZeroMQSocket.Frame?
    ) -> Message {
        let before = frames.dropLast()
        let isEnvelopeLong = before.reduce(0) { $0 + $1.size } > IntakeSocket.envelopeBytesMax
        let echoed = isEnvelopeLong ? [] : before.map(\.bytes)
        return Message(
            returnAddress: name.flatMap {
                gone.contains($0.bytes)
                    ? nil : ReturnAddress(envelope: [$0.bytes] + echoed, connection: counted.connection)
            },
            body: frames.last?.bytes ?? [], address: counted.peerAddress, userID: counted.userID,
            excess: frames.count > IntakeSocket.framesMax ? .frames : isEnvelopeLong ? .envelope : nil,
            passage: counted.connection.map { Passage(connection: $0, bytes: counted.bytes) })
    }

    /// Answers without waiting. A sender that is gone or does not read loses the answer; it asks again.
    /// - Returns: What now waits to be sent over which connection; nil where nothing does.
    package func reply(_ body: [UInt8], to address: ReturnAddress) throws(ZeroMQError) -> Passage? {
        mayHaveMessages = true
        let result = try router.send(address.envelope + [body])
        if result == .unreachable { noteGone(address.envelope[0]) }
        guard result == .sent, let connection = address.connection else { return nil }
        // The first frame, the ROUTER's own, is not sent.
        let bytes = address.envelope.dropFirst().reduce(body.count) { $0 + $1.count }
        return Passage(connection: connection, bytes: bytes)
    }

    /// Names that ZeroMQ itself gives begin with a zero and are given once; another may come again with a new connection.
    private func noteGone(_ name: [UInt8]) {
        guard name.first == 0 else { return }
        if gone.count >= IntakeSocket.goneMax { gone = [] }
        gone.insert(name)
    }
}

/// The outcome topic: an XPUB socket. A subscriber that does not read loses messages and never slows the worker.
package final class OutcomeSocket {
    package let endpoint: String
    private let guardKind: SocketGuard
    private let context: ZeroMQContext
    private var socket: ZeroMQSocket
    private var mayHaveSubscriptions = true
    private var sendsSinceDrained = 0

    /// - Parameter guardKind: Who is let in.
    package init(
        _ endpoint: String, guard guardKind: SocketGuard = .open, in context: ZeroMQContext
    ) throws(ZeroMQError) {
        self.guardKind = guardKind
        self.context = context
        socket = try OutcomeSocket.open(guardKind, in: context)
        self.endpoint = try socket.bind(endpoint)
    }

    private static func open(_ guardKind: SocketGuard, in context: ZeroMQContext) throws(ZeroMQError) -> ZeroMQSocket {
        let socket = try ZeroMQSocket(.extendedPublisher, in: context)
        try socket.setSendQueueMax(2000)
        // Subscribers send nothing but their subscriptions, and no topic of ours is longer than the first. A handshake of
        // CURVE has a frame of 257 bytes and what the peer tells of itself.
        try socket.setFrameMax(guardKind.isEncrypted ? 1024 : 256)
        try socket.setForStrangers()
        try socket.setLinger(1000)
        try socket.setGuard(guardKind, domain: HandshakeSocket.Domain.outcomes.rawValue)
        return socket
    }

    /// Whether it is still to be bound again.
    package private(set) var isUnbound = false

    /// Cuts off every subscriber. Those that are still allowed come back by themselves within a moment, and replay what
    /// they missed: ZeroMQ has no way to cut off one of them.
    /// To be followed by `bindAgain` until that has done it.
    package func cutOffSubscribers() throws(ZeroMQError) {
        try socket.setLinger(0)
        if !isUnbound { try socket.unbind(endpoint) }
        socket = try OutcomeSocket.open(guardKind, in: context)
        mayHaveSubscriptions = true
        isUnbound = true
    }

    /// Binds again; false while the address is still in use: the old socket lets go of it in ZeroMQ's own thread.
    package func bindAgain() throws(ZeroMQError) -> Bool {
        do throws(ZeroMQError) {
            _ = try socket.bind(endpoint)
        } catch {
            guard error.isAddressInUse else { throw error }
            return false
        }
        isUnbound = false
        return true
    }

    package func descriptor() throws(ZeroMQError) -> Int32 { try socket.descriptor() }

    package func send(topic: String, body: [UInt8]) throws(ZeroMQError) {
        // What a descriptor tells may be swallowed by a send.
        sendsSinceDrained += 1
        if sendsSinceDrained >= 100 { mayHaveSubscriptions = true }
        _ = try socket.send([Array(topic.utf8), body])
    }

    /// Takes note of which descriptors have become readable.
    package func wake(by readable: [Int32]) throws(ZeroMQError) {
        guard !readable.isEmpty else { return }
        if readable.contains(try descriptor()) { mayHaveSubscriptions = true }
    }

    /// Reads the subscriptions that came in. libzmq has applied them already; unread they would pile up.
    package func drainSubscriptions() throws(ZeroMQError) {
        guard mayHaveSubscriptions else { return }
        while try socket.receive() != nil {}
        mayHaveSubscriptions = false
        sendsSinceDrained = 0
    }
}
