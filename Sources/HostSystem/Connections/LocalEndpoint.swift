import Glibc

/// The address of a listening socket, as its connections have it too.
enum LocalEndpoint: Hashable {
    case tcp(port: UInt16)
    case path(String)

    /// Whether the kernel counts the bytes of its connections.
    var isCounted: Bool {
        switch self {
        case .tcp: true
        case .path: false
        }
    }

    /// - Parameter endpoint: As ZeroMQ writes it: `tcp://ADDRESS:PORT` or `ipc://PATH`; nil for any other.
    init?(_ endpoint: String) {
        if endpoint.hasPrefix("ipc://") {
            self = .path(String(endpoint.dropFirst(6)))
        } else if endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":"),
            let port = UInt16(endpoint[endpoint.index(after: colon)...])
        {
            self = .tcp(port: port)
        } else {
            return nil
        }
    }

    /// The address at this process's end of a socket; nil where that is none of ours, or no socket.
    init?(descriptor: Int32) {
        guard let address = SocketAddress(descriptor, getsockname) else { return nil }
        if let port = address.port {
            self = .tcp(port: port)
        } else if let path = address.path {
            self = .path(path)
        } else {
            return nil
        }
    }
}

/// The address of one end of a socket.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

    typealias Question = (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32

    /// - Parameter ask: `getsockname` or `getpeername`.
    init?(_ descriptor: Int32, _ ask: Question) {
        let result = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
    }

    var port: UInt16? {
        switch Int32(storage.ss_family) {
        case AF_INET: read(sockaddr_in.self) { UInt16(bigEndian: $0.sin_port) }
        case AF_INET6: read(sockaddr_in6.self) { UInt16(bigEndian: $0.sin6_port) }
        default: nil
        }
    }

    var path: String? {
        guard Int32(storage.ss_family) == AF_UNIX else { return nil }
        return read(sockaddr_un.self) { address in
            withUnsafeBytes(of: address.sun_path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
    }

    /// The address in words, without the port.
    var text: String? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch Int32(storage.ss_family) {
        case AF_INET:
            read(sockaddr_in.self) { _ = inet_ntop(AF_INET, [$0.sin_addr], &text, socklen_t(text.count)) }
        case AF_INET6:
            read(sockaddr_in6.self) { _ = inet_ntop(AF_INET6, [$0.sin6_addr], &text, socklen_t(text.count)) }
        default: return nil
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func read<Address, Result>(_ type: Address.Type, _ body: (Address) -> Result) -> Result {
        withUnsafeBytes(of: storage) { body($0.loadUnaligned(as: type)) }
    }
}
