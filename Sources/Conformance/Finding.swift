/// What one check found.
package struct Finding: Equatable, Sendable {
    package enum Verdict: Equatable, Sendable {
        /// - Parameter note: What was measured, where something was.
        case ok(note: String?)
        case failed(expected: String, seen: String)
        case skipped(why: String)
    }

    /// What is checked, as a sentence about the one that is checked.
    package let check: String
    package let verdict: Verdict

    package init(_ check: String, _ verdict: Verdict) {
        self.check = check
        self.verdict = verdict
    }
}

/// Why a check does not end well.
package enum Deviation: Error, Equatable {
    /// What the contract says, and what was seen in its place.
    case differs(expected: String, seen: String)
    case skipped(why: String)

    var verdict: Finding.Verdict {
        switch self {
        case .differs(let expected, let seen): .failed(expected: expected, seen: seen)
        case .skipped(let why): .skipped(why: why)
        }
    }
}

/// Ends a check unless something is so.
func expect(_ isSo: Bool, _ expected: @autoclosure () -> String, seen: @autoclosure () -> String) throws(Deviation) {
    if !isSo { throw .differs(expected: expected(), seen: seen()) }
}
