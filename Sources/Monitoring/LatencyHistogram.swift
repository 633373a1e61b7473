package import TradingCore

/// How often what took how long, in buckets of at most an eighth of their value's width, so a percentile read from it is
/// at most an eighth too high. Two of them add up without loss.
package struct LatencyHistogram: Equatable, Sendable {
    /// Counts by bucket; buckets without any are not in it.
    package private(set) var counts: [Int: Int64] = [:]
    package private(set) var count: Int64 = 0
    /// The sum of all, in microseconds, as measured and not by bucket.
    package private(set) var sum = Microseconds.zero

    package init() {}

    /// Longer ones are counted as this, ten years. No bucket's bound and no sum of thousands is too large then.
    package static let longest = Microseconds(315_360_000_000_000)

    package mutating func add(_ duration: Microseconds) {
        let duration = min(duration, LatencyHistogram.longest)
        counts[LatencyHistogram.bucket(of: duration.count), default: 0] += 1
        count += 1
        addToSum(duration)
    }

    package mutating func add(_ other: LatencyHistogram) {
        counts.merge(other.counts, uniquingKeysWith: +)
        count += other.count
        addToSum(other.sum)
    }

    /// A sum that would be too large stays the largest.
    private mutating func addToSum(_ duration: Microseconds) {
        let (result, overflows) = sum.count.addingReportingOverflow(duration.count)
        sum = Microseconds(overflows ? .max : result)
    }

    /// The time within which this share of all was done; nil where there was nothing.
    /// - Parameter perMille: 500 for the median, 990 for the 99th percentile.
    package func percentile(perMille: Int64) -> Microseconds? {
        guard count > 0 else { return nil }
        let wanted = (count * perMille + 999) / 1000
        var passed: Int64 = 0
        for (bucket, count) in counts.sorted(by: { $0.key < $1.key }) {
            passed += count
            if passed >= wanted { return Microseconds(LatencyHistogram.upperBound(of: bucket)) }
        }
        return nil
    }

    /// How many took at most this long. Exact where `bound` ends a bucket; else what shares its bucket is left out.
    package func count(upTo bound: Microseconds) -> Int64 {
        counts.reduce(0) { LatencyHistogram.upperBound(of: $1.key) <= bound.count ? $0 + $1.value : $0 }
    }

    // MARK: Buckets

    // Up to 8 a bucket for each number; above, eight for each power of two.

    static func bucket(of value: Int64) -> Int {
        guard value > 8 else { return Int(max(0, value)) }
        // Of the number before, so that a power of two ends a bucket.
        let below = value - 1
        let exponent = 63 - below.leadingZeroBitCount
        return 8 * (exponent - 2) + Int(below >> (exponent - 3)) - 7
    }

    /// The largest value of a bucket, in microseconds.
    static func upperBound(of bucket: Int) -> Int64 {
        guard bucket > 8 else { return Int64(bucket) }
        let (octave, part) = (bucket - 9).quotientAndRemainder(dividingBy: 8)
        return (Int64(part) + 9) << octave
    }

    // MARK: Text

    /// `sum;bucket:count,bucket:count`, for a database column that a person can read.
    package var text: String {
        "\(sum.count);" + counts.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ",")
    }

    /// Nil for what `text` did not write.
    package init?(_ text: String) {
        let halves = text.split(separator: ";", omittingEmptySubsequences: false)
        guard halves.count == 2, let sum = Int64(halves[0]) else { return nil }
        self.sum = Microseconds(sum)
        for pair in halves[1].split(separator: ",") {
            let numbers = pair.split(separator: ":").compactMap { Int64($0) }
            guard numbers.count == 2, (0...500).contains(numbers[0]), numbers[1] > 0 else { return nil }
            counts[Int(numbers[0])] = numbers[1]
            count += numbers[1]
        }
    }
}
