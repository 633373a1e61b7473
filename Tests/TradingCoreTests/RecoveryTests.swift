import Foundation
import Testing
import TradingCore

@Suite("Whatever the database holds of a decision when a worker starts")
struct RestartVerdictTests {
    static let everything: [StoredState] =
        ([nil] + DecisionStatus.allCases.map(Optional.some)).flatMap { decision in
            ([nil] + Certainty.allCases.map(Optional.some)).map { StoredState(decision, $0) }
        }

    @Test("has one verdict, and only what was never begun takes its turn")
    func exhaustive() {
        #expect(Self.everything.count == 25)
        let byVerdict = Dictionary(grouping: Self.everything) { RestartVerdict($0) }
        #expect(byVerdict[.takesItsTurn] == [.waiting])
        #expect(byVerdict[.forgotten] == [.nothing])
        #expect(byVerdict[.becomesUnknown] == [.sending])
        #expect(byVerdict[.isLookedFor] == [.unknown])
        #expect(byVerdict[.isFollowed] == [.followed])
        #expect(Set(byVerdict[.isOver] ?? []) == [.executed, .failed, .notSent, .refused])
        #expect(byVerdict[.contradiction]?.count == 16)
    }
}

@Suite("A worker that dies")
struct DeathPointTests {
    @Test("where the broker may have the order never sends it again", arguments: DeathPoint.allCases)
    func neverAgain(_ point: DeathPoint) {
        let verdicts = Set(point.onDisk.map { RestartVerdict($0) })
        #expect(!verdicts.isEmpty && !verdicts.contains(.contradiction))
        switch point.atBroker {
        case .nothing: break
        case .perhapsAnOrder: #expect(verdicts == [.becomesUnknown])
        case .asStored: #expect(verdicts.isDisjoint(with: [.forgotten, .takesItsTurn]))
        }
    }

    @Test("after it has acknowledged a decision forgets it nowhere")
    func neverLost() throws {
        let acknowledged = try #require(DeathPoint.allCases.firstIndex(of: .acceptanceCommitted))
        for point in DeathPoint.allCases[acknowledged...] { #expect(!point.onDisk.contains(.nothing)) }
    }

    /// The table in the documentation is this code's: a row for each point, in order.
    @Test("at any point finds that point in the documentation's table, as the code has it")
    func documentation() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../deploy/contract/recovery.md").standardized
        let page = try String(contentsOf: path, encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        let expected = DeathPoint.allCases.map { point in
            let disk = point.onDisk.map(Self.words).joined(separator: ", or ")
            let verdicts = point.onDisk.map { RestartVerdict($0) }.reduce(into: [RestartVerdict]()) { list, verdict in
                if !list.contains(verdict) { list.append(verdict) }
            }
            let words = verdicts.map(Self.words).joined(separator: ", or ")
            return "| `\(point.rawValue)` | \(disk) | \(point.atBroker.rawValue) | \(words) |"
        }
        #expect(rows == expected, "the table should be:\n\(expected.joined(separator: "\n"))")
    }

    private static func words(_ stored: StoredState) -> String {
        guard let decision = stored.decision?.rawValue else { return "nothing" }
        return stored.certainty.map { "`\(decision)` `\($0.rawValue)`" } ?? "`\(decision)`"
    }

    private static func words(_ verdict: RestartVerdict) -> String {
        switch verdict {
        case .forgotten: "its publisher sends it again"
        case .takesItsTurn: "it takes its turn"
        case .becomesUnknown: "it becomes unknown and is looked for"
        case .isLookedFor: "it is looked for"
        case .isFollowed: "its order is followed"
        case .isOver: "nothing is left to do"
        case .contradiction: "the worker does not start"
        }
    }
}
