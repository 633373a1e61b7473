/// Findings of checks of a fixed list, each concluded once, told in the order of their ends.
struct ScriptFindings<Check: Hashable & CaseIterable & RawRepresentable> where Check.RawValue == String {
    private var concluded: Set<Check> = []
    private var untold: [Finding] = []

    func isConcluded(_ check: Check) -> Bool { concluded.contains(check) }

    /// The first verdict stands.
    mutating func conclude(_ check: Check, _ verdict: Finding.Verdict) {
        guard concluded.insert(check).inserted else { return }
        untold.append(Finding(check.rawValue, verdict))
    }

    mutating func pass(_ check: Check, note: String? = nil) { conclude(check, .ok(note: note)) }

    mutating func fail(_ check: Check, expected: String, seen: String) {
        conclude(check, .failed(expected: expected, seen: seen))
    }

    /// Ends what has not ended.
    mutating func concludeRest(_ verdict: (Check) -> Finding.Verdict) {
        for check in Check.allCases where !isConcluded(check) { conclude(check, verdict(check)) }
    }

    /// What was concluded since this was asked last.
    mutating func tell() -> [Finding] {
        defer { untold = [] }
        return untold
    }
}
