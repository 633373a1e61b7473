import Glibc

/// The connections of this process's listening sockets, whoever has accepted them. They can be looked at and cut; no
/// other socket of the process can.
final class OwnConnections {
    /// One connection.
    struct Connection {
        let descriptor: Int32
        let endpoint: LocalEndpoint
        /// Names the socket as long as it lives; descriptors are used again.
        let inode: UInt64
        let traffic: Traffic
    }

    /// How many bytes have gone over a connection.
    struct Traffic {
        /// Came, and was read.
        var read: Int64
        /// Was taken by the peer.
        var sent: Int64
        /// Waits for the peer.
        var unsent: Int64
    }

    private let endpoints: Set<LocalEndpoint>
    private let directory: OpaquePointer
    /// A descriptor of our own that may become a second name of any connection, so that cutting needs no new one: there
    /// may be none left.
    private let spare: Int32
    /// What the spare one names in between.
    private let null: Int32
    /// The sockets that listen, as of the last list.
    private var listeners: [LocalEndpoint: (descriptor: Int32, inode: UInt64)] = [:]
    /// Those of them that let no new connection in.
    private var closed: Set<UInt64> = []

    init(_ endpoints: Set<LocalEndpoint>) throws(SystemError) {
        self.endpoints = endpoints
        guard let directory = opendir("/proc/self/fd") else { throw SystemError("opening /proc/self/fd") }
        null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        spare = fcntl(null, F_DUPFD_CLOEXEC, 0)
        guard spare >= 0 else {
            let error = SystemError("opening /dev/null")
            closedir(directory)
            if null >= 0 { close(null) }
            throw error
        }
        self.directory = directory
    }

    deinit {
        closedir(directory)
        close(spare)
        close(null)
    }

    /// All connections there are now.
    func list() -> [Connection] {
        rewinddir(directory)
        var connections: [Connection] = []
        listeners = [:]
        while let entry = readdir(directory) {
            let number = withUnsafeBytes(of: &entry.pointee.d_name) { name in
                name.prefix { $0 != 0 }.reduce(Int32?(0)) { number, digit in
                    guard let number, (0x30...0x39).contains(digit) else { return nil }
                    return number * 10 + Int32(digit - 0x30)
                }
            }
            if let number, let connection = connection(number) { connections.append(connection) }
        }
        return connections
    }

    private func connection(_ descriptor: Int32) -> Connection? {
        guard let endpoint = LocalEndpoint(descriptor: descriptor), endpoints.contains(endpoint),
            let inode = inode(descriptor)
        else { return nil }
        guard let traffic = traffic(descriptor, endpoint) else {
            if isListening(descriptor) { listeners[endpoint] = (descriptor, inode) }
            return nil
        }
        return Connection(descriptor: descriptor, endpoint: endpoint, inode: inode, traffic: traffic)
    }

    private func inode(_ descriptor: Int32) -> UInt64? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    /// Nil for the listening socket itself.
    private func traffic(_ descriptor: Int32, _ endpoint: LocalEndpoint) -> Traffic? {
        guard let unread = SocketQueues.unread(descriptor), let unsent = SocketQueues.unsent(descriptor) else {
            return nil
        }
        switch endpoint {
        case .tcp:
            guard let counts = TCPCounts(descriptor) else { return nil }
            return Traffic(read: counts.received - unread, sent: counts.acknowledged, unsent: unsent)
        case .path:
            // The kernel does not count here. What waits at the moment is a sign of who sends much.
            guard SocketAddress(descriptor, getpeername) != nil else { return nil }
            return Traffic(read: unread, sent: -unsent, unsent: unsent)
        }
    }

    // MARK: The door

    private func isListening(_ descriptor: Int32) -> Bool {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0
    }

    /// Lets no new connection in over TCP, or lets them in again. Whoever knocks meanwhile knocks again by itself, after
    /// a second. Connections that are there stay.
    func setClosed(_ wanted: Set<LocalEndpoint>) {
        for (endpoint, listener) in listeners where endpoint.isCounted {
            let isClosed = closed.contains(listener.inode)
            if wanted.contains(endpoint), !isClosed, dropAll(listener.descriptor) {
                closed.insert(listener.inode)
            } else if !wanted.contains(endpoint), isClosed, dropNothing(listener.descriptor) {
                closed.remove(listener.inode)
            }
        }
    }

    /// Makes a socket that listens drop every packet that asks for a connection: with a packet filter of one instruction,
    /// which says that none of any packet is kept.
    private func dropAll(_ listener: Int32) -> Bool {
        var instruction = PacketFilter.Instruction(code: PacketFilter.returnConstant, constant: 0)
        return withUnsafeMutablePointer(to: &instruction) { instruction in
            var program = PacketFilter(count: 1, instructions: instruction)
            return setsockopt(
                listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, socklen_t(MemoryLayout<PacketFilter>.size)) == 0
        }
    }

    private func dropNothing(_ listener: Int32) -> Bool {
        var unused: Int32 = 0
        return setsockopt(listener, SOL_SOCKET, SO_DETACH_FILTER, &unused, socklen_t(MemoryLayout<Int32>.size)) == 0
    }

    // MARK: Cutting

    /// Ends a connection for both sides, as if the peer had closed it; whoever has the socket closes it then.
    /// - Returns: Who was at the other end, where that can be said; nil where the connection is gone already.
    func cut(_ connection: Connection) -> String? {
        // A second name pins the socket. Only then is it certain which socket the number stands for.
        guard dup2(connection.descriptor, spare) == spare else { return nil }
        // The spare one must not keep the socket alive.
        defer { dup2(null, spare) }
        guard inode(spare) == connection.inode, LocalEndpoint(descriptor: spare) == connection.endpoint else {
            return nil
        }
        let peer = SocketAddress(spare, getpeername)?.text ?? "this machine"
        if !connection.endpoint.isCounted || !dissolve(spare) { shutdown(spare, Int32(SHUT_RDWR)) }
        return peer
    }

    /// Ends a TCP connection with a reset, and throws away what came and was not read yet: after a mere shutdown ZeroMQ
    /// would go on to read it, which may be many megabytes.
    private func dissolve(_ descriptor: Int32) -> Bool {
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        return connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size)) == 0
    }
}

/// The kernel's `struct sock_fprog`, and its `struct sock_filter`.
private struct PacketFilter {
    struct Instruction {
        var code: UInt16
        var jumps: UInt16 = 0
        var constant: UInt32
    }

    /// BPF_RET | BPF_K
    static let returnConstant: UInt16 = 6

    var count: UInt16
    var instructions: UnsafeMutablePointer<Instruction>
}

/// What the kernel counts of a TCP connection: the part of its `struct tcp_info` that glibc's own ends before. In full
/// since Linux 4.2.
private struct TCPCounts {
    let acknowledged: Int64
    let received: Int64

    private static let acknowledgedOffset = 120
    private static let receivedOffset = 128
    private static let size = 136

    init?(_ descriptor: Int32) {
        let counts = withUnsafeTemporaryAllocation(byteCount: TCPCounts.size, alignment: 8) { buffer in
            var size = socklen_t(buffer.count)
            guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, buffer.baseAddress, &size) == 0,
                size == buffer.count
            else { return (Int64, Int64)?.none }
            return (
                buffer.load(fromByteOffset: TCPCounts.acknowledgedOffset, as: Int64.self),
                buffer.load(fromByteOffset: TCPCounts.receivedOffset, as: Int64.self)
            )
        }
        guard let counts else { return nil }
        (acknowledged, received) = counts
    }
}
