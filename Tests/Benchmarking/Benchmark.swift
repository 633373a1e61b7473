/// The whole of it: pieces, runs, synchronisations, reads, one after the other.
package struct Benchmark {
    package enum Part: String, Sendable {
        /// Bare pieces.
        case floor
        /// The workers under load.
        case runs
        /// How often they wait for the disk.
        case synchronisations
        /// The reading commands.
        case reads
    }

    package var programs: BenchmarkPrograms
    package var parts: [Part]
    package var scenarios: [Scenario]
    package var workers: [BenchmarkedWorker]
    package var rounds: Int
    /// How many executions are in the databases already; 0 for fresh ones.
    package var seeded: [Int]
    package var directories: [WorkingDirectory]
    /// How long each bare piece is measured, and each reading command.
    package var floorSeconds: Double
    package var readSeconds: Double
    /// How many decisions are sent to count synchronisations.
    package var tracedDecisions: Int
    package var keepsSeeded: Bool

    package init(
        programs: BenchmarkPrograms, parts: [Part], scenarios: [Scenario], workers: [BenchmarkedWorker], rounds: Int,
        seeded: [Int], directories: [WorkingDirectory], floorSeconds: Double, readSeconds: Double, tracedDecisions: Int,
        keepsSeeded: Bool
    ) {
        self.programs = programs
        self.parts = parts
        self.scenarios = scenarios
        self.workers = workers
        self.rounds = rounds
        self.seeded = seeded
        self.directories = directories
        self.floorSeconds = floorSeconds
        self.readSeconds = readSeconds
        self.tracedDecisions = tracedDecisions
        self.keepsSeeded = keepsSeeded
    }

    /// Measures, and prints each table as soon as it is complete.
    /// - Parameter progress: Told what is done now.
    /// - Returns: Whether every run passed its check.
    package func run(output: ResultFile, progress: (String) -> Void) throws -> Bool {
        defer { if !keepsSeeded { removeEverything(progress) } }
        let machine = try Machine.this()
        print(machine.text + "\n")
        try output.write(ResultLines.line(machine))
        try SeededDirectories.checkRoom(directories, counts: seeded)
        var pieces: [FloorPiece] = []
        if parts.contains(.floor) {
            progress("bare pieces")
            pieces = try floor(output)
            print(FloorReport(pieces).text)
        }
        if parts.contains(.synchronisations) {
            do {
                try countSynchronisations(output, progress)
            } catch let failure as BenchmarkFailure {
                // Not everybody may trace a process.
                print("calls of fdatasync could not be counted: \(failure)\n")
            }
        }
        var comparisons: [Comparison] = []
        for count in seeded.sorted() {
            let places = directories.filter { parts.contains(.runs) || readsAreDue(count, $0) }
            if count > 0 {
                try SeededDirectories.prepare(
                    places, count: count, workers: parts.contains(.runs) ? workers : [], programs, progress: progress)
            }
            for directory in places {
                if parts.contains(.runs) { comparisons += try runs(directory, count, output, progress) }
                if readsAreDue(count, directory) { try reads(directory, count, output, progress) }
            }
        }
        if let text = FloorReport(pieces).text(over: comparisons) { print(text) }
        let passed = comparisons.allSatisfy(\.isFaultless)
        print(passed ? "every run passed its check" : "FAULTS were found, see above: those figures are worth nothing")
        return passed
    }

    // MARK: Parts

    private func floor(_ output: ResultFile) throws -> [FloorPiece] {
        var pieces: [FloorPiece] = []
        for directory in directories {
            pieces += try DiskFloor.measure(in: directory.path, called: directory.location, seconds: floorSeconds)
        }
        pieces += try NetworkFloor.measure(program: programs.benchmark, seconds: floorSeconds)
        for piece in pieces { try output.write(ResultLines.line(piece)) }
        return pieces
    }

    private func runs(
        _ directory: WorkingDirectory, _ count: Int, _ output: ResultFile, _ progress: (String) -> Void
    ) throws -> [Comparison] {
        let run = BenchmarkRun(programs)
        // What the database holds matters to the database: the open loop and the slow broker would show it no better.
        let scenarios = count == 0 ? scenarios : scenarios.filter { ["backlog", "closed-loop"].contains($0.name) }
        return try scenarios.map { scenario in
            let condition = RunCondition(location: directory.location, seeded: count, scenario: scenario)
            var results: [RunResult] = []
            for round in 1...rounds {
                for worker in workers {
                    progress(
                        """
                        \(directory.location), \(Figure.grouped(count)) before, \(scenario.name), \
                        round \(round) of \(rounds), \(worker.rawValue)
                        """)
                    let state = count == 0 ? try directory.fresh() : worker.stateDirectory(in: directory.seeded(count))
                    let result = try run.measure(worker, condition, stateDirectory: state, round: round)
                    try output.write(ResultLines.line(result))
                    results.append(result)
                }
            }
            let comparison = Comparison(condition, results)
            print(comparison.text)
            for line in ResultLines.lines(ratiosOf: comparison) { try output.write(line) }
            return comparison
        }
    }

    /// Where the database lies makes no difference to how often it is synchronised.
    private func countSynchronisations(_ output: ResultFile, _ progress: (String) -> Void) throws {
        guard let directory = directories.first else { return }
        var table = Table(["fdatasync and fsync calls per trade"] + workers.map(\.rawValue))
        for scenario in [
            Scenario(name: "backlog", count: tracedDecisions, shape: .backlog),
            Scenario(name: "closed-loop", count: tracedDecisions, shape: .closedLoop(window: 1)),
        ] {
            var cells: [String] = []
            for worker in workers {
                progress("counting synchronisations: \(scenario.name), \(worker.rawValue)")
                guard
                    let calls = try BenchmarkRun(programs).synchronisations(
                        worker, scenario, stateDirectory: try directory.fresh())
                else {
                    print("strace is not installed, so calls of fdatasync are not counted\n")
                    return
                }
                try output.write(ResultLines.line(synchronisations: calls, worker, scenario))
                cells.append(Figure.text(calls))
            }
            table.add([scenario.text] + cells)
        }
        print(table.text)
    }

    /// Reads are measured with the most there is, at the first location.
    private func readsAreDue(_ count: Int, _ directory: WorkingDirectory) -> Bool {
        parts.contains(.reads) && count > 0 && count == seeded.max() && directory.path == directories.first?.path
    }

    private func reads(
        _ directory: WorkingDirectory, _ count: Int, _ output: ResultFile, _ progress: (String) -> Void
    ) throws {
        let state = BenchmarkedWorker.tradeExecutor.stateDirectory(in: directory.seeded(count))
        let commands = ReadCommands(programs, stateDirectory: state, seconds: readSeconds)
        let results = try commands.measure { progress("reading with \(Figure.grouped(count)) before: \($0)") }
        for result in results {
            try output.write(ResultLines.line(result, location: directory.location, executions: count))
        }
        print("\(directory.location), \(Figure.grouped(count)) executions and more\n\(ReadReport(results).text)")
    }

    private func removeEverything(_ progress: (String) -> Void) {
        for directory in directories {
            do {
                try directory.remove()
            } catch {
                progress("left behind: \(directory.path): \(error)")
            }
        }
    }
}
