/// The head of an HTTP message: what the broker and its bare client need of it, and quickly.
struct HTTPHead: Equatable {
    let firstLine: String
    /// Bytes of the head, the empty line included.
    let length: Int
    let bodyLength: Int

    /// The head at the beginning of `bytes`; nil while some of it is missing.
    static func first(in bytes: [UInt8]) throws(BenchmarkFailure) -> HTTPHead? {
        var firstLine: String?
        var bodyLength = 0
        var lineStart = 0
        while let end = bytes[lineStart...].firstIndex(of: 0x0A) {
            // The line without its CR LF.
            let line = bytes[lineStart..<max(lineStart, end - 1)]
            if line.isEmpty {
                guard let firstLine else { throw BenchmarkFailure("a message has no first line") }
                return HTTPHead(firstLine: firstLine, length: end + 1, bodyLength: bodyLength)
            }
            if firstLine == nil { firstLine = String(decoding: line, as: UTF8.self) }
            if let length = contentLength(line) { bodyLength = length }
            lineStart = end + 1
        }
        return nil
    }

    private static let name = Array("content-length:".utf8)

    private static func contentLength(_ line: ArraySlice<UInt8>) -> Int? {
        // Letters differ by one bit from their capitals; the hyphen and the colon have that bit set already.
        guard line.count > name.count, zip(line, name).allSatisfy({ $0 | 0x20 == $1 }) else { return nil }
        return Int(String(decoding: line.dropFirst(name.count).drop { $0 == 0x20 }, as: UTF8.self))
    }
}
