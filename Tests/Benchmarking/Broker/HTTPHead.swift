/// The first line of an HTTP message and what its headers say of the body's length.
struct HTTPHead: Equatable {
    let firstLine: String
    /// Bytes of the head, the empty line included.
    let length: Int
    let bodyLength: Int

    /// The head at the beginning of `bytes`; nil while some of it is missing.
    static func first(in bytes: [UInt8]) throws(BenchmarkFailure) -> HTTPHead? {
        guard let length = end(of: bytes) else { return nil }
        let lines = String(decoding: bytes[..<length], as: UTF8.self).split(separator: "\r\n")
        guard let firstLine = lines.first else { throw BenchmarkFailure("a message has no first line") }
        var bodyLength = 0
        for line in lines.dropFirst() where line.lowercased().hasPrefix("content-length:") {
            guard let length = Int(line.dropFirst("content-length:".count).drop { $0 == " " }) else {
                throw BenchmarkFailure("a message says \(line)")
            }
            bodyLength = length
        }
        return HTTPHead(firstLine: String(firstLine), length: length, bodyLength: bodyLength)
    }

    /// Where the empty line ends.
    private static func end(of bytes: [UInt8]) -> Int? {
        var index = 3
        while index < bytes.count {
            if bytes[index] == 0x0A, bytes[index - 1] == 0x0D, bytes[index - 2] == 0x0A { return index + 1 }
            index += 1
        }
        return nil
    }
}
