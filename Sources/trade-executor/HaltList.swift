import HostSystem
import StrictJSON
import TradeRecords
import TradingCore

/// The halts in force, and who has halted and resumed: from the database as far as the worker has taken it in, and from
/// the history's file beyond.
struct HaltList {
    private let inForce: [Halt]
    /// The newest first.
    private let events: [HaltEvent]

    /// - Parameter limit: How many entries of the history at most.
    init(in directory: String, limit: Int) throws {
        do {
            inForce = try HaltFiles(stateDirectory: directory).list()
            let (events, position) = try HaltList.recorded(in: directory, limit: limit)
            let history = HaltHistory(stateDirectory: directory)
            let newer = try HaltHistoryPage.events(from: position) { (position) throws(SystemError) in
                try history.read(from: position)
            }
            self.events = (events + newer).suffix(limit).reversed()
        } catch {
            throw Failure("\(error)")
        }
    }

    /// The entries in the database, and up to where they are those of the file. There may be no database yet.
    private static func recorded(in directory: String, limit: Int) throws -> (events: [HaltEvent], historyEnd: Int64) {
        do {
            let records = try TradeRecords(path: StateDirectory.databasePath(in: directory))
            return try records.haltEvents(limit: limit)
        } catch RecordsFault.noDatabase, RecordsFault.older {
            return (events: [], historyEnd: 0)
        }
    }

    func print(asJSON: Bool) throws {
        try StandardOutput.print { output in
            if asJSON {
                for halt in inForce { try output.line(line("in_force", halt.json)) }
                for event in events { try output.line(line(event.action.rawValue, event.json)) }
            } else {
                try printText(on: output)
            }
        }
    }

    private func line(_ entry: String, _ json: JSONValue) -> [UInt8] {
        var writer = JSONWriter(reserving: 256)
        writer.object { writer in
            writer.member("entry", entry)
            for member in json.members ?? [] where member.key != "action" {
                writer.key(member.key)
                member.value.write(to: &writer)
            }
        }
        return writer.bytes
    }

    private func printText(on output: StandardOutput) throws {
        if inForce.isEmpty { try output.line("nothing is halted") }
        for halt in inForce { try output.line("halted: \(HaltText.scope(halt.scope)), \(HaltText.details(halt))") }
        guard !events.isEmpty else { return }
        try output.line("")
        var table = TextTable(
            [.init("TIME (UTC)"), .init("WHAT"), .init("WHOM"), .init("BY"), .init("WHY")], on: output)
        for event in events {
            try table.add([
                RecordText.time(event.at.text), event.action.rawValue + (event.hold ? ", hold" : ""),
                HaltText.scope(event.scope), event.by ?? "-", event.reason ?? "",
            ])
        }
        _ = try table.finish()
    }
}
