/// Random numbers that are the same in every run (SplitMix64, Steele and others, 2014).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// The bytes after one to three small accidents: a byte changed, a piece lost, doubled or moved, a token put in.
func mutated(_ bytes: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
    let tokens = [
        "0", "-", ".", "e9", "null", "true", "\"", "\\", "\\u0000", "{", "}", "[", "]", ",", ":", "\"v\":1,",
        "\"side\":\"sell\",", "\"quantity\":\"7\",", "\"status\":\"filled\",", "\"filled_qty\":\"7\",", "\u{FF}é",
    ]
    var bytes = bytes
    for _ in 0...Int.random(in: 0..<3, using: &numbers) {
        guard !bytes.isEmpty else { return bytes }
        let place = Int.random(in: 0..<bytes.count, using: &numbers)
        let end = min(bytes.count, place + Int.random(in: 1...12, using: &numbers))
        switch Int.random(in: 0..<6, using: &numbers) {
        case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &numbers)
        case 1: bytes[place] = UInt8.random(in: UInt8(ascii: "0")...UInt8(ascii: "9"), using: &numbers)
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 4:
            let piece = Array(bytes[place..<end])
            bytes.insert(contentsOf: piece, at: Int.random(in: 0...bytes.count, using: &numbers))
        default: bytes.insert(contentsOf: Array((tokens.randomElement(using: &numbers) ?? "").utf8), at: place)
        }
    }
    return bytes
}
