import CZeroMQ

/// Where ZeroMQ asks who may connect: the handler of its authentication protocol (ZAP, RFC 27 of ZeroMQ). To be opened
/// before the sockets that it guards, in the same context.
package final class HandshakeSocket {
    /// What is connected to.
    package enum Domain: String, Sendable {
        case intake
        case outcomes
    }

    /// One peer that wants in.
    package struct Request {
        package let domain: Domain
        /// The peer's network address; of an `ipc://` endpoint `localhost:UID:GID:PID`, as the kernel says.
        package let address: String
        package let credential: Credential
        fileprivate let id: [UInt8]
    }

    package enum Credential: Equatable {
        /// None: the socket is not encrypted.
        case none
        /// The peer has proven that it holds the secret half of this public key, in Z85.
        case curve(publicKey: String)
    }

    private let socket: ZeroMQSocket

    package init(in context: ZeroMQContext) throws(ZeroMQError) {
        socket = try ZeroMQSocket(.reply, in: context)
        try socket.setLinger(0)
        _ = try socket.bind("inproc://zeromq.zap.01")
    }

    package func descriptor() throws(ZeroMQError) -> Int32 { try socket.descriptor() }

    /// The next peer; nil when none waits. Each must be answered before the next is asked for.
    package func receive() throws(ZeroMQError) -> Request? {
        while let frames = try socket.receiveMessage(framesMax: 16)?.map(\.bytes) {
            guard frames.count >= 6 else {
                try answer(id: frames.count > 1 ? frames[1] : [], "500", "the request is not understood", userID: "")
                continue
            }
            let text = frames.map { String(decoding: $0, as: UTF8.self) }
            let domain = Domain(rawValue: text[2])
            switch (domain, text[5]) {
            case (let domain?, "NULL"):
                return Request(domain: domain, address: text[3], credential: .none, id: frames[1])
            case (let domain?, "CURVE"):
                guard frames.count == 7, let key = HandshakeSocket.z85(frames[6]) else { break }
                return Request(domain: domain, address: text[3], credential: .curve(publicKey: key), id: frames[1])
            default: break
            }
            try answer(id: frames[1], "400", "this way of proving who one is is not taken", userID: "")
        }
        return nil
    }

    /// Lets the peer in.
    /// - Parameter userID: What its messages will carry.
    package func allow(_ request: Request, userID: String) throws(ZeroMQError) {
        try answer(id: request.id, "200", "OK", userID: userID)
    }

    /// Turns the peer away. It does not try again by itself.
    /// - Parameter reason: ASCII; the peer's library may show it.
    package func refuse(_ request: Request, _ reason: String) throws(ZeroMQError) {
        try answer(id: request.id, "400", reason, userID: "")
    }

    private func answer(id: [UInt8], _ code: String, _ text: String, userID: String) throws(ZeroMQError) {
        _ = try socket.send([Array("1.0".utf8), id, Array(code.utf8), Array(text.utf8), Array(userID.utf8), []])
    }

    private static func z85(_ key: [UInt8]) -> String? {
        guard key.count == 32 else { return nil }
        var text = [CChar](repeating: 0, count: 41)
        guard zmq_z85_encode(&text, key, key.count) != nil else { return nil }
        return String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
