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

/// How many checks ended how.
struct ConformanceTally {
    private(set) var passed = 0
    private(set) var failed = 0
    private(set) var skipped = 0

    var all: Int { passed + failed + skipped }
    var text: String { "\(passed) ok, \(failed) failed, \(skipped) skipped" }

    mutating func count(_ finding: Finding) {
        switch finding.verdict {
        case .ok: passed += 1
        case .failed: failed += 1
        case .skipped: skipped += 1
        }
    }
}
