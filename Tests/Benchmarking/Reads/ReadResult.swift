/// How long one reading command takes.
package struct ReadResult: Sendable {
    package let name: String
    /// How many lines it printed the last time.
    package let lines: Int
    /// Of the whole process, from its start to its end.
    package let latency: LatencySummary
}

/// The reading commands side by side; their start-up, which they share, is shown apart.
package struct ReadReport {
    private let results: [ReadResult]

    package init(_ results: [ReadResult]) {
        self.results = results
    }

    package var text: String {
        let startUp = results.first { $0.name == ReadCommands.startUp }?.latency.p50 ?? 0
        var table = Table(["command", "runs", "lines", "p50 ms", "p99 ms", "p50 less start-up, ms"])
        for result in results {
            let isWithoutStartUp = result.name == ReadCommands.replay || result.name == ReadCommands.startUp
            table.add([
                result.name, "\(result.latency.count)", "\(result.lines)", Figure.text(result.latency.p50 / 1000),
                Figure.text(result.latency.p99 / 1000),
                isWithoutStartUp ? "" : Figure.text(max(0, result.latency.p50 - startUp) / 1000),
            ])
        }
        return table.text
    }
}
