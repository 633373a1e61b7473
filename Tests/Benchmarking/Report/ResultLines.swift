import StrictJSON

/// The results as JSON, one object a line. Times are microseconds and sizes bytes, as the keys say.
package enum ResultLines {
    package static func line(_ result: RunResult) -> String {
        var writer = JSONWriter(reserving: 2048)
        writer.object { writer in
            writer.member("type", "run")
            writer.member("location", result.condition.location)
            writer.member("seeded", result.condition.seeded)
            writer.member("scenario", result.condition.scenario.name)
            writer.member("load", result.condition.scenario.text)
            writer.member("decisions", result.condition.scenario.count)
            writer.member("broker_delay_ms", result.condition.scenario.brokerDelayMilliseconds)
            writer.member("worker", result.worker.rawValue)
            writer.member("round", result.round)
            writer.key("faults")
            writer.array { writer in for fault in result.faults { writer.string(fault) } }
            writer.member("decisions_per_second", decimal: result.decisionsPerSecond)
            writer.member("cpu_us_per_trade", decimal: result.processorTimePerTrade)
            writer.member("broker_cpu_us_per_trade", decimal: result.brokerTimePerTrade)
            writer.member("generator_cpu_us_per_trade", decimal: result.generatorTimePerTrade)
            writer.member("decision_to_ack_us", result.latencies.toAck)
            writer.member("decision_to_request_us", result.latencies.toBroker)
            writer.member("answer_to_outcome_us", result.latencies.answerToOutcome)
            writer.member("decision_to_outcome_us", result.latencies.toOutcome)
            writer.member("sent_late_us", result.latencies.lateness)
            writer.member("resident_bytes", result.usage.residentBytes)
            writer.member("anonymous_bytes", result.usage.anonymousBytes)
            writer.member("peak_resident_bytes", result.usage.peakResidentBytes)
            writer.member("memory_bytes_per_trade", decimal: result.memoryPerTrade)
            writer.member("database_bytes_per_trade", decimal: result.databaseBytesPerTrade)
            writer.member("write_calls_per_trade", decimal: result.outputPerTrade?.calls)
            writer.member("written_bytes_per_trade", decimal: result.outputPerTrade?.bytesGiven)
            writer.member("disk_bytes_per_trade", decimal: result.outputPerTrade?.bytesToDisk)
            writer.member("others_cores", decimal: result.othersCores)
        }
        return writer.text
    }

    /// trade-executor over the Python worker, a line for each figure.
    package static func lines(ratiosOf comparison: Comparison) -> [String] {
        comparison.ratios.map { title, ratio in
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("type", "ratio")
                writer.member("location", comparison.condition.location)
                writer.member("seeded", comparison.condition.seeded)
                writer.member("scenario", comparison.condition.scenario.name)
                writer.member("figure", title)
                writer.member("median", decimal: ratio.median)
                writer.member("min", decimal: ratio.min)
                writer.member("max", decimal: ratio.max)
            }
            return writer.text
        }
    }

    package static func line(_ machine: Machine) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("type", "machine")
            writer.member("processor", machine.processor)
            writer.member("processors", machine.processors)
            writer.member("memory_bytes", machine.memoryBytes)
            writer.member("kernel", machine.kernel)
        }
        return writer.text
    }

    package static func line(_ piece: FloorPiece) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("type", "floor")
            writer.member("piece", piece.kind.rawValue)
            writer.member("location", piece.location)
            writer.member("latency_us", piece.latency)
            writer.member("cpu_us", decimal: piece.processorTime)
        }
        return writer.text
    }

    package static func line(_ read: ReadResult, location: String, executions: Int) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("type", "read")
            writer.member("location", location)
            writer.member("executions", executions)
            writer.member("command", read.name)
            writer.member("lines", read.lines)
            writer.member("latency_us", read.latency)
        }
        return writer.text
    }

    package static func line(synchronisations: Double, _ worker: BenchmarkedWorker, _ scenario: Scenario) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("type", "synchronisations")
            writer.member("worker", worker.rawValue)
            writer.member("scenario", scenario.name)
            writer.member("calls_per_trade", decimal: synchronisations)
        }
        return writer.text
    }
}

extension JSONWriter {
    /// A number with three digits after the point; null where there is none.
    fileprivate mutating func member(_ name: StaticString, decimal value: Double?) {
        key(name)
        guard let value, value.isFinite else { return null() }
        raw(Figure.fixed(value, 3).filter { $0 != "," }.utf8)
    }

    fileprivate mutating func member(_ name: StaticString, _ summary: LatencySummary?) {
        key(name)
        guard let summary else { return null() }
        object { writer in
            writer.member("count", summary.count)
            writer.member("p50", decimal: summary.p50)
            writer.member("p90", decimal: summary.p90)
            writer.member("p99", decimal: summary.p99)
            writer.member("p99_9", decimal: summary.p999)
            writer.member("max", decimal: summary.max)
        }
    }
}
