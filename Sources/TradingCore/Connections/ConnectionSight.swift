/// One connection as it is seen from outside of ZeroMQ. All amounts are bytes.
package struct ConnectionSight: Equatable, Sendable {
    package enum Socket: CaseIterable, Sendable {
        case intake
        case outcomes
    }

    /// Names this connection as long as it lives.
    package let id: UInt64
    package let socket: Socket
    /// Whether the kernel counts what goes over it, as it does for TCP. Where not, only what waits is seen.
    package let isCounted: Bool
    /// What has come over it and been read by ZeroMQ, since it was made; where that is not counted, what waits to be read.
    package var read: Int64
    /// What the peer has taken, since it was made.
    package var sent: Int64
    /// What waits in the kernel for the peer to take it.
    package var unsent: Int64
    /// The messages that were taken off it since the last look.
    package var taken: Int64
    /// The answers that were handed over for it since the last look, or less.
    package var handed: Int64

    package init(
        id: UInt64, socket: Socket, isCounted: Bool = true, read: Int64 = 0, sent: Int64 = 0, unsent: Int64 = 0,
        taken: Int64 = 0,
        handed: Int64 = 0
    ) {
        self.id = id
        self.socket = socket
        self.isCounted = isCounted
        self.read = read
        self.sent = sent
        self.unsent = unsent
        self.taken = taken
        self.handed = handed
    }

    /// What the kernel was given for the peer.
    var written: Int64 { sent + unsent }
}

/// What is to be done about connections.
package struct ConnectionVerdict: Equatable, Sendable {
    /// Why a connection is cut.
    package enum Reason: Hashable, CaseIterable, Sendable {
        case holdsMemory
        case sendsTooMuch
        case tooMany
        case readsNothing

        /// What is wrong with such connections, for the log.
        package var text: String {
            switch self {
            case .holdsMemory: "memory ran short and most was held for them: half messages, or answers not read"
            case .sendsTooMuch: "they sent more subscriptions than any subscriber needs"
            case .tooMany: "there are too many connections"
            case .readsNothing: "they took nothing of what waited for them"
            }
        }
    }

    package var cuts: [UInt64: Reason] = [:]
    /// The sockets that let no new connection in.
    package var closed: Set<ConnectionSight.Socket> = []
    /// Whether memory is short although nobody has held any for a while: then free memory is given back, and what is in use
    /// after that is taken for what the worker needs.
    package var settles = false

    package init() {}
}
