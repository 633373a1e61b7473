package import TradingCore

/// How long the steps of an order take, each drawn from a range of microseconds after the order was created.
///
/// Source: bodies recorded on paper on 2026-10-08 with the market open (josejuarez96/tradepartner,
/// `tests/fixtures/alpaca/paper`).
package struct Timings: Sendable {
    package var updated: ClosedRange<Int64> = 700...1400
    package var routed: ClosedRange<Int64> = 3900...6300
    /// After it was routed.
    package var acknowledged: ClosedRange<Int64> = 400...1100
    /// Whole-share market orders, and marketable limit orders.
    package var filled: ClosedRange<Int64> = 150_000...900_000
    /// Notional and fractional market orders, and crypto: they never show `new`.
    package var filledAtOnce: ClosedRange<Int64> = 3100...3300
    /// After the request to cancel or replace. Not recorded; of the size of the other steps.
    package var cancelled: ClosedRange<Int64> = 3000...8000

    /// As recorded.
    package static let recorded = Timings()

    /// The recorded timings, with whole-share orders filled after exactly so many milliseconds.
    package static func filling(afterMilliseconds milliseconds: Int64) -> Timings {
        var timings = Timings()
        timings.filled = milliseconds * 1000...milliseconds * 1000
        return timings
    }
}

extension Timestamp {
    package func advanced(byMicroseconds microseconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: nanoseconds + microseconds * 1000)
    }

    package func advanced(byMilliseconds milliseconds: Int64) -> Timestamp {
        advanced(byMicroseconds: milliseconds * 1000)
    }

    /// RFC 3339 in UTC with up to nine digits of a second's fraction, trailing zeros dropped, as recorded answers
    /// have it: `2026-10-08T15:10:18.0952164Z`.
    package var brokerText: String {
        var bytes = Array(text.utf8.dropLast())
        let beyondMicroseconds = (nanoseconds % 1000 + 1000) % 1000
        for divisor: Int64 in [100, 10, 1] {
            bytes.append(UInt8(ascii: "0") + UInt8(beyondMicroseconds / divisor % 10))
        }
        while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self) + "Z"
    }
}
