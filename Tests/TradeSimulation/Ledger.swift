import Foundation
import GRDB
import StrictJSON
import TradingCore

/// What the world outside has seen of the worker, and the judgement on it: every invariant is checked here, when
/// something is seen or when the database is looked at.
final class Ledger {
    private let time: VirtualTime
    private let halts: SimulatedHalts
    private let limits: SimulatedLimits
    private let bug: PlantedBug?
    /// Whether decisions of one strategy may overtake those of another.
    private let mayOvertake: Bool
    /// The first invariant that did not hold.
    private(set) var violation: Violation?
    /// Is told what happens, for a person who looks for the cause.
    let trace: ((String) -> Void)?
    /// The living worker's database, for looking into; nil while none lives.
    var database: DatabaseQueue?
    /// Asks the broker, beside the network, what an order has come to.
    var truth: (String) -> SimulatedBroker.Truth? = { _ in nil }

    private var acknowledged: [String: Int64] = [:]
    private var attempts: [String: Int] = [:]
    private var lastSentRow: Int64 = 0
    private var lastSentRowOfStrategy: [String: Int64] = [:]
    private var published: [Int64: [UInt8]] = [:]
    private var lastPublished: Int64 = 0
    private var progress: [String: Progress] = [:]
    private(set) var figures = Figures()
    private var swapped: [UInt8]?
    /// Decisions that were sent, of which nothing is known any more since the database was restored from a copy. Where
    /// their publishers send them again, and the broker refuses them for another reason than their ids or cannot be
    /// reached, they are told as failed: no worker could know better.
    private var forgotten: Set<String> = []

    /// How far the outcomes of a decision have come.
    private struct Progress {
        var isOver: Bool
        var filled: ExactDecimal
    }

    init(
        time: VirtualTime, halts: SimulatedHalts, limits: SimulatedLimits, mayOvertake: Bool, bug: PlantedBug?,
        trace: ((String) -> Void)?
    ) {
        self.time = time
        self.halts = halts
        self.limits = limits
        self.mayOvertake = mayOvertake
        self.bug = bug
        self.trace = trace
    }

    func note(_ what: @autoclosure () -> String) {
        trace?("\(Double(time.now.microseconds) / 1_000_000) s  \(what())")
    }

    func violate(_ invariant: Invariant, _ what: String) {
        note("VIOLATION \(invariant.rawValue): \(what)")
        if violation == nil { violation = Violation(invariant: invariant, what: what) }
    }

    func clientOrderID(of body: [UInt8]) -> String {
        JSONValue(reading: body)?["client_order_id"]?.string ?? "?"
    }

    // MARK: A request leaves

    func leaves(_ body: [UInt8]) {
        figures.posts += 1
        let id = clientOrderID(of: body)
        attempts[id, default: 0] += 1
        if attempts[id, default: 0] > 1 { return violate(.onePost, "\(id) leaves again") }
        guard bug == .orderIsSwapped else { return check(body, id) }
        // Every other one is taken note of after its successor.
        guard let before = swapped else {
            swapped = body
            return
        }
        swapped = nil
        check(body, id)
        check(before, clientOrderID(of: before))
    }

    private func check(_ body: [UInt8], _ id: String) {
        let intent: Row?
        switch look({ try Row.fetchOne($0, sql: Ledger.intent, arguments: [id]) }) {
        case nil: return
        case .some(let row): intent = row
        }
        guard let intent else { return violate(.intentFirst, "\(id) leaves and the database knows nothing of it") }
        if bug != .orderIsSwapped, intent["certainty"] != "sending" {
            violate(.intentFirst, "\(id) leaves, and is \(intent["certainty"] as String? ?? "?")")
        }
        if intent["body"] as Data? != Data(body) { violate(.intentFirst, "\(id) leaves with other bytes than stored") }
        checkOrder(of: id, strategy: intent["strategy_name"], row: intent["id"])

        let now = time.reading
        let isPastDeadline =
            intent["expires_boot_id"] == now.bootID
            ? now.monotonic.microseconds >= intent["expires_monotonic_us"]
            : now.moment.text >= intent["expires_at"]
        if isPastDeadline { violate(.deadline, "\(id) leaves after its deadline") }
        if let strategy = StrategyName(intent["strategy_name"]), halts.halt(covering: strategy) != nil {
            violate(.halt, "\(id) leaves while it is halted")
        }
        if let what = limits.violation(by: id, body) { violate(.limit, what) }
    }

    /// Not a byte of a request has left.
    func hasNotLeft(_ body: [UInt8]) { limits.giveBack(clientOrderID(of: body)) }

    private static let intent = """
        SELECT d.id, d.strategy_name, d.expires_at, d.expires_boot_id, d.expires_monotonic_us, e.certainty,
            CAST(p.body AS BLOB) AS body
        FROM trade_executions e JOIN trade_decisions d ON d.id = e.trade_decision_id
            JOIN api_payloads p ON p.id = e.api_request_payload_id
        WHERE e.client_order_id = ?
        """

    private func checkOrder(of id: String, strategy: String, row: Int64) {
        if row <= lastSentRowOfStrategy[strategy, default: 0] {
            violate(.order, "\(id), number \(row), leaves after number \(lastSentRowOfStrategy[strategy, default: 0])")
        }
        if !mayOvertake, row <= lastSentRow { violate(.order, "\(id), number \(row), leaves after \(lastSentRow)") }
        lastSentRowOfStrategy[strategy] = row
        lastSentRow = row
    }

    // MARK: A publisher is answered

    func isAcknowledged(_ id: String, _ acknowledgement: JSONValue) {
        guard let number = acknowledgement["decision_seq"]?.integer else {
            return violate(.neverLost, "\(id) is accepted without a number")
        }
        if let before = acknowledged[id], before != number {
            violate(.neverLost, "\(id) is number \(before), and later number \(number)")
        }
        acknowledged[id] = number
        figures.accepted = acknowledged.count
    }

    // MARK: An outcome is published

    func isPublished(_ body: [UInt8]) {
        guard let outcome = JSONValue(reading: body), let seq = outcome["seq"]?.integer else {
            return violate(.storedFirst, "an outcome that cannot be read: \(String(decoding: body, as: UTF8.self))")
        }
        note("outcome \(seq): \(Ledger.brief(outcome))")
        if seq <= lastPublished { violate(.storedFirst, "outcome \(seq) is published after \(lastPublished)") }
        lastPublished = seq
        published[seq] = body
        figures.outcomes += 1
        judge(outcome)
    }

    private static func brief(_ outcome: JSONValue) -> String {
        let execution = outcome["execution"]
        return [
            outcome["strategy_name"]?.string, outcome["decision_id"]?.string, outcome["result"]?.string,
            execution?["order_status"]?.string, execution?["filled_quantity"]?.string,
            execution?["resolution"]?.string, outcome["reason"]?.string ?? execution?["error_message"]?.string,
        ].compactMap { $0 }.joined(separator: " ")
    }

    /// Holds what is told against what is true at the broker, and against what was told before.
    private func judge(_ outcome: JSONValue) {
        let id = "\(outcome["strategy_name"]?.string ?? "?"):\(outcome["decision_id"]?.string ?? "?")"
        let filled = outcome["execution"]?["filled_quantity"]?.string.flatMap(ExactDecimal.init) ?? .zero
        let isOver = outcome["final"] == true
        if let before = progress[id] {
            if before.isOver { violate(.onlyForwards, "\(id) is told of after its end") }
            if filled < before.filled {
                violate(.onlyForwards, "\(id) had \(before.filled.text) filled, and then \(filled.text)")
            }
        }
        progress[id] = Progress(isOver: isOver, filled: filled)
        guard isOver else { return }
        let result = outcome["result"]?.string ?? "?"
        figures.results[result, default: 0] += 1
        if let resolution = outcome["execution"]?["resolution"]?.string {
            figures.resolutions[resolution, default: 0] += 1
        }
        holdAgainstTruth(outcome, id)
    }

    private func holdAgainstTruth(_ outcome: JSONValue, _ id: String) {
        let result = outcome["result"]?.string ?? "?"
        let filled = outcome["execution"]?["filled_quantity"]?.string.flatMap(ExactDecimal.init) ?? .zero
        let truth = truth(id)
        switch result {
        case "failed":
            if let truth, !truth.isOver || !truth.filled.isZero, !forgotten.contains(id) {
                violate(.failedIsTrue, "\(id) is told as failed: \(outcome.text); at the broker: \(truth)")
            }
        case "success", "partial":
            guard let truth, truth.isOver, truth.isFilled == (result == "success"), truth.filled == filled else {
                return violate(
                    .fillIsTrue,
                    "\(id) is told as \(result): \(outcome.text); at the broker: \(String(describing: truth))")
            }
        default: violate(.everyEnd, "\(id) ends as \(result)")
        }
    }

    // MARK: Looking at the database

    /// - Returns: Nil where it cannot be looked at just now.
    private func look<Value>(_ body: (Database) throws -> Value) -> Value? {
        guard let database else { return nil }
        do {
            return try database.read(body)
        } catch {
            // The disk is in one of its troubles.
            note("the database cannot be looked at: \(error)")
            return nil
        }
    }

    /// Whether a decision waits or is under way, or an order that hangs on one has not ended.
    func somethingIsOpen() -> Bool? {
        look {
            try Bool.fetchOne(
                $0,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM trade_decisions WHERE status IN ('pending', 'executing'))
                        OR EXISTS (
                            SELECT 1 FROM alpaca_orders
                            WHERE status NOT IN ('filled', 'canceled', 'expired', 'rejected', 'replaced'))
                    """) ?? false
        }
    }

    /// Holds the whole database against all that was seen.
    /// - Returns: The bodies of all outcomes; nil where it cannot be looked at.
    @discardableResult
    func audit() -> [[UInt8]]? {
        look { database in
            for (id, number) in acknowledged {
                // The first colon ends the strategy's name.
                let names = id.split(separator: ":", maxSplits: 1).map(String.init)
                let row = try Int64.fetchOne(
                    database, sql: "SELECT id FROM trade_decisions WHERE strategy_name = ? AND decision_id = ?",
                    arguments: [names[0], names[1]])
                if row != number {
                    violate(.neverLost, "\(id) was acknowledged as number \(number); the database has \(row ?? 0)")
                }
            }
            for id in attempts.keys {
                let isThere = try Bool.fetchOne(
                    database, sql: "SELECT EXISTS (SELECT 1 FROM trade_executions WHERE client_order_id = ?)",
                    arguments: [id])
                if isThere != true { violate(.intentFirst, "\(id) was sent, and the database knows nothing of it") }
            }
            return try auditOutcomes(database)
        }
    }

    private func auditOutcomes(_ database: Database) throws -> [[UInt8]] {
        var bodies: [[UInt8]] = []
        var ofStrategy: [String: Int64] = [:]
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT seq, strategy_seq, strategy_name, CAST(body AS BLOB) FROM outcomes ORDER BY seq")
        while let row = try rows.next() {
            let (seq, strategySeq, strategy): (Int64, Int64, String) = (row[0], row[1], row[2])
            let data: Data = row[3]
            let body = [UInt8](data)
            bodies.append(body)
            if seq != Int64(bodies.count) { violate(.gapFree, "outcome \(seq) stands in place \(bodies.count)") }
            ofStrategy[strategy, default: 0] += 1
            if strategySeq != ofStrategy[strategy] {
                violate(.gapFree, "outcome \(strategySeq) of \(strategy) stands in place \(ofStrategy[strategy] ?? 0)")
            }
            if let told = published[seq], told != body {
                violate(
                    .storedFirst,
                    "outcome \(seq) was published as \(String(decoding: told, as: UTF8.self)), and is stored as "
                        + String(decoding: body, as: UTF8.self))
            }
        }
        if lastPublished > Int64(bodies.count) {
            violate(.storedFirst, "outcome \(lastPublished) was published; \(bodies.count) are stored")
        }
        return bodies
    }

    /// Holds the last outcome of every decision against what has come of it in the end.
    func judgeEnds(_ bodies: [[UInt8]]) {
        var ends: [String: JSONValue] = [:]
        for body in bodies {
            guard let outcome = JSONValue(reading: body) else { continue }
            ends["\(outcome["strategy_name"]?.string ?? "?"):\(outcome["decision_id"]?.string ?? "?")"] = outcome
        }
        for id in ends.keys.sorted() {
            if let outcome = ends[id] { holdAgainstTruth(outcome, id) }
        }
    }

    /// What the database holds is all that is known from now on: it was restored from a copy.
    func forgetWhatWasLost() {
        let known = look { database in
            (
                decisions: try String.fetchSet(
                    database, sql: "SELECT strategy_name || ':' || decision_id FROM trade_decisions"),
                seq: try Int64.fetchOne(database, sql: "SELECT max(seq) FROM outcomes") ?? 0
            )
        }
        guard let known else { return }
        acknowledged = acknowledged.filter { known.decisions.contains($0.key) }
        published = published.filter { $0.key <= known.seq }
        lastPublished = known.seq
        progress = [:]
        // What the copy does not know as sent is sent again, and refused by its id.
        forgotten = Set(attempts.keys).subtracting(known.decisions)
        attempts = [:]
        lastSentRow = 0
        lastSentRowOfStrategy = [:]
    }
}

extension JSONValue {
    /// What bytes hold; nil where they are no JSON.
    init?(reading bytes: [UInt8]) {
        do {
            self = try JSONValue(parsing: bytes)
        } catch {
            return nil
        }
    }
}
