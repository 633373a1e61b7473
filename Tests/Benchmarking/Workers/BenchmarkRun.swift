import Glibc
import HostSystem

/// Runs one worker once and measures it.
package struct BenchmarkRun {
    private let programs: BenchmarkPrograms
    private static let strategies = 4

    /// A slow broker makes warming up slow too.
    private static func warmUpCount(_ scenario: Scenario) -> Int { scenario.brokerDelayMilliseconds == 0 ? 100 : 20 }

    package init(_ programs: BenchmarkPrograms) {
        self.programs = programs
    }

    /// What was used so far by everyone who takes part.
    private struct Usage {
        let worker: ProcessUsage
        let broker: Int64
        let generator: Int64
        let machine: MachineUsage
        let at: Int64

        init(_ worker: WorkerUnderTest, _ broker: BrokerProcess) throws {
            self.worker = try ProcessUsage(of: worker.processID)
            self.broker = try broker.processorTime()
            generator = Clock.processorTime()
            machine = try MachineUsage.now()
            at = Clock.now()
        }
    }

    package func measure(
        _ worker: BenchmarkedWorker, _ condition: RunCondition, stateDirectory: String, round: Int
    ) throws -> RunResult {
        let scenario = condition.scenario
        let broker = try BrokerProcess(
            program: programs.benchmark, delayMilliseconds: scenario.brokerDelayMilliseconds)
        defer { broker.stop() }
        let running = try WorkerUnderTest(
            worker, programs, stateDirectory: stateDirectory, brokerURL: broker.url)
        let load = try LoadGenerator(
            intake: running.intake, outcomes: running.outcomes, strategies: BenchmarkRun.strategies)
        try load.warmUp(BenchmarkRun.warmUpCount(scenario))

        let database = StateDirectory.databasePath(in: stateDirectory)
        let frames = DecisionFrames(strategies: BenchmarkRun.strategies, word: "run")
        let bytesBefore = try DatabaseFile.bytes(database)
        let before = try Usage(running, broker)
        var atEnd: Usage?
        var record = try load.run(frames, count: scenario.count, scenario.shape) {
            atEnd = try Usage(running, broker)
        }
        let after = try atEnd ?? Usage(running, broker)
        let bytesAfter = try DatabaseFile.bytes(database)
        record.arrivals = try broker.arrivals().filter { !LoadGenerator.isWarmUp($0.clientOrderID) }
        try running.stop()

        let count = Double(scenario.count)
        let wall = Double(after.at - before.at)
        let ours =
            (after.worker.processorTime - before.worker.processorTime) + (after.broker - before.broker)
            + (after.generator - before.generator)
        let busy = Double(after.machine.busyTime - before.machine.busyTime)
        let faults = try RunCheck.faults(of: record)
        return RunResult(
            condition: condition, worker: worker, round: round, faults: faults, latencies: try RunLatencies(record),
            decisionsPerSecond: BenchmarkRun.decisionsPerSecond(record),
            processorTimePerTrade: Double(after.worker.processorTime - before.worker.processorTime) / count / 1000,
            brokerTimePerTrade: Double(after.broker - before.broker) / count / 1000,
            generatorTimePerTrade: Double(after.generator - before.generator) / count / 1000, usage: after.worker,
            memoryPerTrade: Double(after.worker.residentBytes - before.worker.residentBytes) / count,
            databaseBytesPerTrade: Double(bytesAfter - bytesBefore) / count,
            outputPerTrade: BenchmarkRun.output(before.worker, after.worker, count),
            othersCores: max(0, (busy - Double(ours)) / wall))
    }

    private static func decisionsPerSecond(_ record: RunRecord) -> Double {
        guard let first = record.sent.first, let last = record.outcomes.last else { return 0 }
        return Double(record.outcomes.count) / Double(last.at - first.sentAt) * 1_000_000_000
    }

    private static func output(
        _ before: ProcessUsage, _ after: ProcessUsage, _ count: Double
    ) -> RunResult.OutputPerTrade? {
        guard let before = before.output, let after = after.output else { return nil }
        return RunResult.OutputPerTrade(
            calls: Double(after.calls - before.calls) / count,
            bytesGiven: Double(after.bytesGiven - before.bytesGiven) / count,
            bytesToDisk: Double(after.bytesToDisk - before.bytesToDisk) / count)
    }

    // MARK: Synchronisations

    /// How often a worker waits for the disk, in calls of fdatasync and fsync per trade. Not timed: every call is traced.
    /// - Returns: Nil where `strace` is not installed.
    package func synchronisations(
        _ worker: BenchmarkedWorker, _ scenario: Scenario, stateDirectory: String
    ) throws -> Double? {
        guard let strace = BenchmarkRun.strace else { return nil }
        let log = stateDirectory + "-strace.txt"
        let broker = try BrokerProcess(program: programs.benchmark, delayMilliseconds: 0)
        defer {
            broker.stop()
            unlink(log)
        }
        let running = try WorkerUnderTest(
            worker, programs, stateDirectory: stateDirectory, brokerURL: broker.url,
            wrapper: [strace, "-f", "--seccomp-bpf", "-qq", "-e", "trace=fdatasync,fsync", "-o", log])
        let load = try LoadGenerator(
            intake: running.intake, outcomes: running.outcomes, strategies: BenchmarkRun.strategies)
        try load.warmUp(BenchmarkRun.warmUpCount(scenario))
        let before = try BenchmarkRun.calls(in: log)
        let record = try load.run(
            DecisionFrames(strategies: BenchmarkRun.strategies, word: "run"), count: scenario.count, scenario.shape)
        let after = try BenchmarkRun.calls(in: log)
        try running.stop()
        guard record.outcomes.count == scenario.count else {
            throw BenchmarkFailure("decisions were lost under strace")
        }
        return Double(after - before) / Double(scenario.count)
    }

    private static var strace: String? {
        ["/usr/bin/strace", "/usr/local/bin/strace"].first { access($0, X_OK) == 0 }
    }

    /// A call that another thread interrupts has two lines; the second one has no bracket after the name.
    private static func calls(in log: String) throws -> Int {
        let text = String(decoding: try Files.read(log, bytesMax: 1 << 26), as: UTF8.self)
        return text.split(separator: "\n").count { $0.contains("fdatasync(") || $0.contains("fsync(") }
    }
}
