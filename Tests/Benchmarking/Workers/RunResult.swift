/// What was measured in one run of one worker.
package struct RunResult: Sendable {
    package var condition: RunCondition
    package var worker: BenchmarkedWorker
    package var round: Int
    /// What was not so that must be; the figures are worth nothing then.
    package var faults: [String]
    package var latencies: RunLatencies
    /// From the first decision sent to the last outcome.
    package var decisionsPerSecond: Double
    /// Microseconds of all the worker's threads in that time.
    package var processorTimePerTrade: Double
    /// The same of the broker and of the load generator.
    package var brokerTimePerTrade: Double
    package var generatorTimePerTrade: Double
    /// The worker's memory at the end, in bytes.
    package var usage: ProcessUsage
    /// How much memory the run added, in bytes.
    package var memoryPerTrade: Double
    package var databaseBytesPerTrade: Double
    /// Nil where this user may not know.
    package var outputPerTrade: OutputPerTrade?
    /// How many processors worked for others than worker, broker and load generator.
    package var othersCores: Double

    package struct OutputPerTrade: Sendable {
        package var calls: Double
        package var bytesGiven: Double
        package var bytesToDisk: Double
    }
}
