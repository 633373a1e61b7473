/// A request as it came over the wire, cut out of the bytes read so far.
struct BrokerRequest: Equatable {
    let method: String
    let target: String
    let body: [UInt8]

    /// The request at the beginning of `bytes`, and how many of them it takes; nil while some of it is missing.
    static func first(in bytes: [UInt8]) throws(BenchmarkFailure) -> (request: BrokerRequest, length: Int)? {
        guard let head = try HTTPHead.first(in: bytes) else { return nil }
        let length = head.length + head.bodyLength
        guard bytes.count >= length else { return nil }
        let words = head.firstLine.split(separator: " ")
        guard words.count == 3 else { throw BenchmarkFailure("the broker was sent \(head.firstLine)") }
        let request = BrokerRequest(
            method: String(words[0]), target: String(words[1]), body: Array(bytes[head.length..<length]))
        return (request, length)
    }
}
