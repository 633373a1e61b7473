/// What must be true of every run, or its figures are worth nothing: each decision was acknowledged once, posted once
/// and told of once, and what one strategy sent kept its order at the broker and among the outcomes.
package enum RunCheck {
    /// What was not so; one line for each kind of fault, with the first decision it was seen at.
    package static func faults(of record: RunRecord) throws -> [String] {
        let names = record.sent.map(\.name)
        let acks = try record.acks.map { try Told(ack: $0) }
        let outcomes = try record.outcomes.map { try Told(outcome: $0) }
        var faults: [String] = []
        if let bad = acks.first(where: { !$0.isGood }) { faults.append("not accepted: \(bad.text)") }
        if let bad = outcomes.first(where: { !$0.isGood }) { faults.append("did not succeed: \(bad.text)") }
        faults += compare(names, acks.map(\.name), "acknowledged", keepsOrder: false)
        faults += compare(names, posted(record), "posted", keepsOrder: true)
        faults += compare(names, outcomes.map(\.name), "told of", keepsOrder: true)
        return faults
    }

    private static func posted(_ record: RunRecord) -> [DecisionFrames.Name] {
        record.arrivals.map { arrival in
            let parts = arrival.clientOrderID.split(separator: ":", maxSplits: 1).map(String.init)
            return DecisionFrames.Name(strategy: parts.first ?? "", id: parts.count == 2 ? parts[1] : "")
        }
    }

    private static func compare(
        _ sent: [DecisionFrames.Name], _ seen: [DecisionFrames.Name], _ word: String, keepsOrder: Bool
    ) -> [String] {
        let places = Dictionary(uniqueKeysWithValues: sent.enumerated().map { ($1, $0) })
        var counts: [DecisionFrames.Name: Int] = [:]
        var last: [String: Int] = [:]
        var faults: [String] = []
        var misplaced: DecisionFrames.Name?
        for name in seen {
            counts[name, default: 0] += 1
            guard let place = places[name] else { continue }
            if let before = last[name.strategy], place < before, misplaced == nil { misplaced = name }
            last[name.strategy] = place
        }
        let foreign = seen.filter { places[$0] == nil }
        if let first = foreign.first {
            faults.append("\(foreign.count) \(word), but never sent, the first: \(first.clientOrderID)")
        }
        let lost = sent.filter { counts[$0] == nil }
        if let first = lost.first { faults.append("\(lost.count) never \(word), the first: \(first.clientOrderID)") }
        let doubled = sent.filter { counts[$0, default: 0] > 1 }
        if let first = doubled.first {
            faults.append("\(doubled.count) \(word) more than once, the first: \(first.clientOrderID)")
        }
        if keepsOrder, let misplaced { faults.append("\(word) out of order: \(misplaced.clientOrderID)") }
        return faults
    }
}
