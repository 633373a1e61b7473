/// The runs of all workers under one condition, side by side.
package struct Comparison {
    package let condition: RunCondition
    private let results: [RunResult]

    package init(_ condition: RunCondition, _ results: [RunResult]) {
        self.condition = condition
        self.results = results.filter { $0.condition == condition }
    }

    package var isFaultless: Bool { results.allSatisfy(\.faults.isEmpty) }

    package func results(of worker: BenchmarkedWorker) -> [RunResult] {
        results.filter { $0.worker == worker }
    }

    /// A figure of one worker over all rounds.
    package func spread(_ worker: BenchmarkedWorker, _ figure: (RunResult) -> Double?) -> Spread? {
        Spread(results(of: worker).compactMap(figure))
    }

    /// trade-executor's figure over the Python worker's, round by round: what the machine did meanwhile hit both.
    package func ratio(_ figure: (RunResult) -> Double?) -> Spread? {
        let pairs = results(of: .tradeExecutor).compactMap { ours -> Double? in
            guard let theirs = results(of: .python).first(where: { $0.round == ours.round }),
                let ours = figure(ours), let theirs = figure(theirs), theirs > 0
            else { return nil }
            return ours / theirs
        }
        return Spread(pairs)
    }

    /// Every figure's ratio, by its title.
    var ratios: [(title: String, ratio: Spread)] {
        ComparedFigure.all.compactMap { row in
            row.ratio.flatMap { ratio($0) }.map { (String(row.title.drop { $0 == " " }), $0) }
        }
    }

    package var text: String {
        let seeded = condition.seeded == 0 ? "empty database" : "\(Figure.grouped(condition.seeded)) executions before"
        let workers = BenchmarkedWorker.allCases.filter { !results(of: $0).isEmpty }
        let rounds = workers.map { results(of: $0).count }.max() ?? 0
        var title = ["medians of \(rounds) round\(rounds == 1 ? "" : "s")"] + workers.map(\.rawValue)
        title.append("ratio [min-max]")
        var table = Table(title)
        for row in ComparedFigure.all {
            let cells = workers.map { worker in row.cell(results(of: worker)) }
            table.add([row.title] + cells + [row.ratio.flatMap { ratio($0)?.text } ?? ""])
        }
        var text = "\(condition.location), \(seeded)\n\(condition.scenario.text)\n"
        text += "(latencies: p50 / p90 / p99 / p99.9 / max; the ratio is that of p50)\n\(table.text)"
        for result in results {
            for fault in result.faults {
                text += "FAULT of \(result.worker.rawValue), round \(result.round): \(fault)\n"
            }
        }
        return text
    }
}

/// One row of a comparison.
private struct ComparedFigure: Sendable {
    let title: String
    /// The cell of one worker, from all its rounds.
    let cell: @Sendable ([RunResult]) -> String
    /// What the ratio is made of; nil where there is none to be had.
    let ratio: (@Sendable (RunResult) -> Double?)?

    /// The median over the rounds.
    init(_ title: String, hasRatio: Bool = true, _ figure: @escaping @Sendable (RunResult) -> Double?) {
        self.title = title
        cell = { Spread($0.compactMap(figure)).map { Figure.text($0.median) } ?? "-" }
        ratio = hasRatio ? figure : nil
    }

    /// The medians over the rounds of five percentiles; the ratio is that of the first.
    init(_ title: String, percentiles: @escaping @Sendable (RunResult) -> LatencySummary?) {
        self.title = title
        cell = { results in
            let summaries = results.compactMap(percentiles)
            let columns = [\LatencySummary.p50, \.p90, \.p99, \.p999, \.max]
            return columns.map { column in
                Spread(summaries.map { $0[keyPath: column] / 1000 }).map { Figure.text($0.median) } ?? "-"
            }.joined(separator: " / ")
        }
        ratio = { percentiles($0)?.p50 }
    }

    static let all = [
        ComparedFigure("decisions per second") { $0.decisionsPerSecond },
        ComparedFigure("CPU time per trade, us") { $0.processorTimePerTrade },
        ComparedFigure("decision to ack, ms", percentiles: { $0.latencies.toAck }),
        ComparedFigure("decision to request at the broker, ms", percentiles: { $0.latencies.toBroker }),
        ComparedFigure("broker's answer to outcome, ms", percentiles: { $0.latencies.answerToOutcome }),
        ComparedFigure("decision to outcome, ms", percentiles: { $0.latencies.toOutcome }),
        ComparedFigure("memory at the end, MiB") { Double($0.usage.residentBytes) / 1_048_576 },
        ComparedFigure("  of it anonymous, MiB") { Double($0.usage.anonymousBytes) / 1_048_576 },
        ComparedFigure("  at its peak, MiB") { Double($0.usage.peakResidentBytes) / 1_048_576 },
        ComparedFigure("memory added per trade, bytes", hasRatio: false) { $0.memoryPerTrade },
        ComparedFigure("database per trade, bytes") { $0.databaseBytesPerTrade },
        ComparedFigure("write calls per trade") { $0.outputPerTrade?.calls },
        ComparedFigure("written per trade, sockets too, bytes") { $0.outputPerTrade?.bytesGiven },
        ComparedFigure("written to the disk per trade, bytes", hasRatio: false) { $0.outputPerTrade?.bytesToDisk },
        ComparedFigure("others' cores meanwhile", hasRatio: false) { $0.othersCores },
        ComparedFigure("load generator: sent late by, ms, p99", hasRatio: false) {
            $0.latencies.lateness.map { $0.p99 / 1000 }
        },
        ComparedFigure("load generator, CPU us per trade", hasRatio: false) { $0.generatorTimePerTrade },
        ComparedFigure("broker, CPU us per trade", hasRatio: false) { $0.brokerTimePerTrade },
    ]
}
