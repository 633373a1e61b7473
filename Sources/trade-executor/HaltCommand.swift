import ArgumentParser
import HostSystem
import StrictJSON
import TradeRecords
import TradeWorker
import TradingCore

struct HaltCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "halt",
        abstract: "Stops trading, of all strategies or of one.",
        discussion: """
            Works on a running worker, on one that hangs, and before one is started: the halt is a file in the state \
            directory that is looked at before every order. New decisions are refused with `halted`. Those that wait \
            are refused too, or wait on with --hold while their deadlines run. Orders that are at the broker already \
            stay there. `resume` ends it.
            Who halted and resumed, when and why is kept in the state directory's halt-history.jsonl, and by the worker \
            in the table halt_events. --list shows it, and halts nothing.
            """)

    @Option(help: "Only this strategy; all unless said.")
    var strategy: StrategyName?

    @Option(help: "Why, for those who come after.")
    var reason: String?

    @Flag(help: "Waiting decisions wait on instead of being refused.")
    var hold = false

    @Flag(help: "Halts nothing: lists the halts in force, and who has halted and resumed, newest first.")
    var list = false

    @Flag(help: "With --list: one JSON object a line; `entry` is in_force, or the history's halted or resumed.")
    var json = false

    @Option(help: "With --list: how many entries of the history to show, 20 unless said.")
    var limit: Int?

    @OptionGroup var place: PlaceOptions

    func validate() throws {
        if list {
            guard strategy == nil, reason == nil, !hold else {
                throw ValidationError("--list shows all halts; it goes with --json and --limit only.")
            }
            guard limit ?? 1 > 0 else { throw ValidationError("--limit must be 1 or more.") }
        } else if json || limit != nil {
            throw ValidationError("--json and --limit go with --list.")
        }
    }

    func run() throws {
        if list { return try HaltList(in: try place.existingDirectory(), limit: limit ?? 20).print(asJSON: json) }
        let directory = try place.existingDirectory()
        let scope = strategy.map(Halt.Scope.strategy) ?? .all
        let halt = Halt(
            scope, hold: hold, reason: reason.map(HaltEvent.clipped), by: OperatorName.current(),
            at: SystemClock().now())
        var before: Halt?
        do {
            let files = HaltFiles(stateDirectory: directory)
            before = try files.list().first { $0.scope == scope }
            do {
                try files.write(halt)
            } catch  where error.isForWantOfRoom && !hold && before == nil {
                try files.writeEmpty(scope)
                StandardError.line("Warning: halted by an empty file, which does not say by whom and why: \(error)")
            }
        } catch {
            let room = hold && error.isForWantOfRoom ? "; or leave out --hold, without which a halt needs no room" : ""
            let stays = before.map { "; the halt \(HaltText.details($0)) stays" } ?? ""
            throw Failure("NOT halted: \(error)\(room)\(stays)")
        }
        let unrecorded = record(HaltEvent(halt, at: halt.at ?? SystemClock().now()), in: directory)
        try StandardOutput.print { output in
            try output.line("halted: \(HaltText.scope(scope))")
            if let before { try output.line("  in place of the halt \(HaltText.details(before))") }
            try output.line(
                """
                  new decisions are refused with "halted"; waiting ones \
                \(hold ? "wait until `resume`, or until their deadline" : "are refused")
                """)
            try output.line("  an order that is on its way or at the broker already is not called back")
            let owner = try place.owner(of: directory)
            if !owner.isRunning { try output.line("  no worker is running there; the halt waits for one") }
        }
        if let unrecorded { StandardError.line("Warning: halted, but that is not in the history: \(unrecorded)") }
    }

    /// Stopping matters more than the record of it: where that fails, the halt stands.
    private func record(_ event: HaltEvent, in directory: String) -> SystemError? {
        do {
            try HaltHistory(stateDirectory: directory).append(event)
            return nil
        } catch {
            return error
        }
    }
}

/// How a halt reads.
enum HaltText {
    static func scope(_ scope: Halt.Scope) -> String {
        switch scope {
        case .all: "all strategies"
        case .strategy(let name): "strategy \(name)"
        }
    }

    /// `by alice@host, since 2026-11-22 14:30:01 UTC: maintenance (waiting decisions wait)`.
    static func details(_ halt: Halt) -> String {
        var parts: [String] = []
        if let by = halt.by { parts.append("by \(by)") }
        if let at = halt.at { parts.append("since \(RecordText.time(at.text)) UTC") }
        var text = parts.isEmpty ? "by hand" : parts.joined(separator: ", ")
        if let reason = halt.reason { text += ": \(reason)" }
        if halt.hold { text += " (waiting decisions wait)" }
        return TerminalText.safe(text)
    }
}

extension PlaceOptions {
    /// The state directory, which must be there: a halt of a directory that no worker uses would stop nothing.
    func existingDirectory() throws -> String {
        let directory = try place().stateDirectory
        do {
            if try Files.exists(directory) { return directory }
        } catch {
            throw Failure("\(error)")
        }
        throw Failure(
            "there is no state directory \(directory), so no worker uses it; check --state-dir and --partition")
    }

    func owner(of directory: String) throws -> (isRunning: Bool, processID: String?) {
        do {
            return try StateDirectory.owner(of: directory)
        } catch {
            throw Failure("\(error)")
        }
    }
}

extension StrategyName: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}
