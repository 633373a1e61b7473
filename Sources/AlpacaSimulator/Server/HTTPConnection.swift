import FlyingSocks
import FoundationEssentials
import Glibc

/// One connection of a client: requests in, bytes out, and every way to break off.
final class HTTPConnection {
    enum ReadError: Error {
        /// The client closed, or the connection broke.
        case ended
        case malformed
        case tooLarge
    }

    /// The largest body that is read.
    static let bodyLengthMax = 1 << 20
    private static let headLengthMax = 1 << 16

    let number: Int
    /// How many requests were read on it before the present one.
    private(set) var served = 0
    private let socket: Socket
    /// What was received and not yet read.
    private var buffer: [UInt8] = []

    init(_ socket: Socket, number: Int) {
        self.socket = socket
        self.number = number
        var on: Int32 = 1
        // Without this the kernel holds small answers back for a while.
        setsockopt(socket.file.rawValue, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    // MARK: In

    /// The next request with its whole body.
    func next() throws(ReadError) -> HTTPRequest {
        let head = try readHead()
        if head.headers["expect"]?.lowercased() == "100-continue" {
            guard send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) else { throw .ended }
        }
        let body = try readBody(head)
        served += 1
        return HTTPRequest(
            method: head.method, path: head.path, query: head.query, headers: head.headers, body: body,
            keepsConnection: head.keepsConnection)
    }

    private func readHead() throws(ReadError) -> HTTPRequestHead {
        var searched = 0
        while true {
            if let end = HTTPConnection.endOfHead(in: buffer, from: searched) {
                let text = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 4)
                guard let head = HTTPRequestHead(text[...]) else { throw .malformed }
                return head
            }
            guard buffer.count < HTTPConnection.headLengthMax else { throw .tooLarge }
            searched = max(buffer.count - 3, 0)
            try receive()
        }
    }

    private static func endOfHead(in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in start...max(bytes.count - 4, start) where index + 4 <= bytes.count {
            if bytes[index] == 13, bytes[index + 1] == 10, bytes[index + 2] == 13, bytes[index + 3] == 10 {
                return index
            }
        }
        return nil
    }

    private func readBody(_ head: HTTPRequestHead) throws(ReadError) -> [UInt8] {
        if head.headers["transfer-encoding"]?.lowercased() == "chunked" { return try readChunks() }
        guard let text = head.headers["content-length"] else { return [] }
        guard let length = Int(text), length >= 0 else { throw .malformed }
        return try take(length)
    }

    private func readChunks() throws(ReadError) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = String(decoding: try takeLine(), as: UTF8.self)
            guard let length = Int(line.prefix { $0 != ";" }, radix: 16), length >= 0 else { throw .malformed }
            if length == 0 {
                while !(try takeLine()).isEmpty {}
                return body
            }
            body += try take(length)
            guard body.count <= HTTPConnection.bodyLengthMax else { throw .tooLarge }
            guard try takeLine().isEmpty else { throw .malformed }
        }
    }

    private func takeLine() throws(ReadError) -> [UInt8] {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                let line = Array(buffer[..<end].filter { $0 != 13 })
                buffer.removeFirst(end + 1)
                return line
            }
            guard buffer.count < HTTPConnection.headLengthMax else { throw .tooLarge }
            try receive()
        }
    }

    private func take(_ length: Int) throws(ReadError) -> [UInt8] {
        guard length <= HTTPConnection.bodyLengthMax else { throw .tooLarge }
        while buffer.count < length { try receive() }
        let bytes = Array(buffer.prefix(length))
        buffer.removeFirst(length)
        return bytes
    }

    private func receive() throws(ReadError) {
        do {
            buffer += try socket.read(atMost: 16_384)
        } catch {
            // However a connection breaks, there is nobody left to tell.
            throw .ended
        }
    }

    // MARK: Out

    /// - Returns: False if the connection is broken.
    func send(_ bytes: [UInt8]) -> Bool {
        let data = Data(bytes)
        var sent = data.startIndex
        while sent < data.endIndex {
            do {
                sent = try socket.write(data, from: sent)
            } catch {
                return false
            }
        }
        return true
    }

    /// Makes the close that follows a reset instead of an orderly end: what is unsent is thrown away and the client
    /// gets RST.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket.file.rawValue, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}
