import Glibc

/// One TCP connection on this machine, without delay for small messages.
final class StreamSocket {
    let descriptor: Int32

    /// Takes over an open socket.
    init(_ descriptor: Int32) throws(BenchmarkFailure) {
        self.descriptor = descriptor
        var yes: Int32 = 1
        guard setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size)) == 0
        else { throw BenchmarkFailure(system: "preparing a connection") }
    }

    /// Connects to a port of this machine.
    convenience init(port: UInt16) throws(BenchmarkFailure) {
        let descriptor = try StreamSocket.open()
        var address = StreamSocket.loopback(port: port)
        let result = StreamSocket.withAddress(&address) { connect(descriptor, $0, $1) }
        guard result == 0 else {
            let failure = BenchmarkFailure(system: "connecting to port \(port)")
            close(descriptor)
            throw failure
        }
        try self.init(descriptor)
    }

    deinit { close(descriptor) }

    /// A listening socket on a free port of this machine.
    static func listen() throws(BenchmarkFailure) -> (descriptor: Int32, port: UInt16) {
        let descriptor = try open()
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard withAddress(&address, { bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, 64) == 0,
            withUnsafeMutablePointer(
                to: &address,
                { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        getsockname(descriptor, $0, &length)
                    }
                }) == 0
        else { throw BenchmarkFailure(system: "listening") }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private static func open() throws(BenchmarkFailure) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw BenchmarkFailure(system: "opening a socket") }
        return descriptor
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func withAddress(
        _ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Waits for bytes; false at the end of the connection.
    func receive(into bytes: inout [UInt8]) throws(BenchmarkFailure) -> Bool {
        let count = withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
            var count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            while count < 0, errno == EINTR { count = recv(descriptor, buffer.baseAddress, buffer.count, 0) }
            if count > 0 { bytes.append(contentsOf: buffer[..<count]) }
            return count
        }
        // Whoever is killed resets its connections.
        if count < 0, errno != ECONNRESET { throw BenchmarkFailure(system: "receiving") }
        return count > 0
    }

    func send(_ bytes: [UInt8]) throws(BenchmarkFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw BenchmarkFailure(system: "sending") }
            sent += count
        }
    }
}
