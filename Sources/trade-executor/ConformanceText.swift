import Conformance
import StrictJSON

/// Findings for a terminal and for programs.
enum ConformanceText {
    static func line(_ finding: Finding) -> String {
        let text =
            switch finding.verdict {
            case .ok(let note): "ok       \(finding.check)\(note.map { ": \($0)" } ?? "")"
            case .failed(let expected, let seen): "FAIL     \(finding.check): expected \(expected); seen: \(seen)"
            case .skipped(let why): "skipped  \(finding.check): \(why)"
            }
        return TerminalText.safe(text)
    }

    static func json(_ finding: Finding) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("check", finding.check)
            switch finding.verdict {
            case .ok(let note):
                writer.member("verdict", "ok")
                writer.member("note", note)
            case .failed(let expected, let seen):
                writer.member("verdict", "fail")
                writer.member("expected", expected)
                writer.member("seen", seen)
            case .skipped(let why):
                writer.member("verdict", "skipped")
                writer.member("why", why)
            }
        }
        return writer.text
    }
}

/// Findings as they are printed, and how many ended how.
struct ConformanceReport {
    private let output: StandardOutput
    private let json: Bool
    private var passedCount = 0
    private(set) var failedCount = 0
    private var skippedCount = 0

    init(_ output: StandardOutput, json: Bool) {
        self.output = output
        self.json = json
    }

    /// Says where a client may connect.
    func begin(intake: String, outcomes: String) throws {
        if json {
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("intake", intake)
                writer.member("outcomes", outcomes)
            }
            try output.line(writer.bytes)
        } else {
            try output.line("ready intake=\(intake) outcomes=\(outcomes)")
        }
        try output.flush()
    }

    mutating func add(_ finding: Finding) throws {
        switch finding.verdict {
        case .ok: passedCount += 1
        case .failed: failedCount += 1
        case .skipped: skippedCount += 1
        }
        try output.line(json ? ConformanceText.json(finding) : ConformanceText.line(finding))
        try output.flush()
    }

    /// - Throws: Where a check has failed.
    func end() throws {
        if !json { try output.line("\(passedCount) ok, \(failedCount) failed, \(skippedCount) skipped") }
        guard failedCount == 0 else {
            throw Failure("\(failedCount) of \(passedCount + failedCount + skippedCount) checks failed; see above")
        }
    }
}
