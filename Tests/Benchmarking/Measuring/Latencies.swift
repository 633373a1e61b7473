import Histogram

/// Durations, counted in a histogram of three significant digits (HdrHistogram).
package struct Latencies {
    private var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)

    package init() {}

    /// - Parameter nanoseconds: A duration. Less than nothing, which clocks of two processors may show, counts as 0.
    package mutating func record(nanoseconds: Int64) {
        histogram.record(UInt64(max(0, nanoseconds)))
    }

    package var summary: LatencySummary? {
        guard histogram.totalCount > 0 else { return nil }
        func microseconds(_ percentile: Double) -> Double {
            Double(histogram.valueAtPercentile(percentile)) / 1000
        }
        return LatencySummary(
            count: Int(histogram.totalCount), p50: microseconds(50), p90: microseconds(90), p99: microseconds(99),
            p999: microseconds(99.9), max: Double(histogram.max) / 1000)
    }
}

/// Percentiles of durations, in microseconds.
package struct LatencySummary: Equatable, Sendable {
    package var count: Int
    package var p50: Double
    package var p90: Double
    package var p99: Double
    package var p999: Double
    package var max: Double
}
