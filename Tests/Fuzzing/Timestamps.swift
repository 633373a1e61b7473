import Glibc
import TradingCore

/// A moment: it is the one that the C library finds, and what is stored of it can be read back.
func checkTimestamp(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let time = Timestamp(text) else { return }
    try expect(text.utf8.count >= 20 && text.utf8.allSatisfy { $0 < 0x80 }, "a time is written in ASCII")
    try expect(time.text == libraryText(time), "\(text) is \(libraryText(time)), not \(time.text)")
    try checkStorable(time)

    let offset = String(text.suffix(6))
    guard !text.hasSuffix("Z"), let hours = Int64(offset.dropFirst().prefix(2)), let minutes = Int64(offset.suffix(2))
    else {
        try expect(text.hasSuffix("Z") && time.text.hasPrefix(text.prefix(19)), "UTC stays as it is written")
        return
    }
    let seconds = (hours * 60 + minutes) * 60 * (offset.hasPrefix("-") ? -1 : 1)
    let local = Timestamp(text.dropLast(6) + "Z")
    try expect(local?.advanced(bySeconds: -seconds) == time, "an offset is how much later it is there: \(text)")
}

/// What is stored of a moment reads as that moment again, whole microseconds being kept.
func checkStorable(_ time: Timestamp) throws {
    let again = Timestamp(time.text)
    try expect(again?.text == time.text, "a time that is stored can be read: \(time.text)")
    try expect(
        again.map { (0..<1000).contains(time.nanoseconds - $0.nanoseconds) } ?? false,
        "a time that is stored loses less than a microsecond: \(time.text)")
}

private func libraryText(_ time: Timestamp) -> String {
    let ofSecond = (time.nanoseconds % 1_000_000_000 + 1_000_000_000) % 1_000_000_000
    var seconds = time_t((time.nanoseconds - ofSecond) / 1_000_000_000)
    var fields = tm()
    gmtime_r(&seconds, &fields)
    func padded(_ value: some BinaryInteger, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return padded(fields.tm_year + 1900, 4) + "-" + padded(fields.tm_mon + 1, 2) + "-" + padded(fields.tm_mday, 2) + "T"
        + padded(fields.tm_hour, 2) + ":" + padded(fields.tm_min, 2) + ":" + padded(fields.tm_sec, 2) + "."
        + padded(ofSecond / 1000, 6) + "Z"
}
