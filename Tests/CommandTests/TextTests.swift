import Testing
import TradingCore

@testable import trade_executor

@Suite("Text for a person")
struct TextTests {
    @Test("shows control characters instead of letting them act")
    func safe() {
        #expect(TerminalText.safe("plain, ünïcode 漢字 🙂") == "plain, ünïcode 漢字 🙂")
        #expect(TerminalText.safe("\u{1b}]0;title\u{7}") == #"\u{1b}]0;title\u{7}"#)
        #expect(TerminalText.safe("a\nb\rc\td\u{7f}\u{9b}31m") == #"a\u{a}b\u{d}c\u{9}d\u{7f}\u{9b}31m"#)
        #expect(TerminalText.safe("\u{202e}evil\u{2066}\u{200b}\u{2028}") == #"\u{202e}evil\u{2066}\u{200b}\u{2028}"#)
    }

    @Test("is parted between words, and within a word where there is no other way, so that every line fits")
    func wrapping() {
        #expect("one two three".wrapped(to: 7) == ["one two", "three"])
        #expect("one two".wrapped(to: 20) == ["one two"])
        #expect("abcdefghij kl".wrapped(to: 4) == ["abcd", "efgh", "ij", "kl"])
        let text = " a bb  ccc dddddddddddddddd é"
        for width in 1...12 {
            let lines = text.wrapped(to: width)
            #expect(lines.allSatisfy { $0.count <= width })
            #expect(lines.joined().filter { $0 != " " } == text.filter { $0 != " " })
        }
        #expect("abcdef".cut(to: 4) == "abc…")
        #expect("abcd".cut(to: 4) == "abcd")
    }

    @Test("keeps every digit of a number in JSON")
    func prettyJSON() {
        let lines = PrettyJSON.lines(Array(#"{"a":1.500,"b":[],"c":[1,{"d":null}],"e":"x\u001b"}"#.utf8))
        #expect(
            lines == [
                "{", #"  "a": 1.500,"#, #"  "b": [],"#, #"  "c": ["#, "    1,", "    {", #"      "d": null"#, "    }",
                "  ],", #"  "e": "x\u001b""#, "}",
            ])
        #expect(PrettyJSON.lines(Array("<html>".utf8)) == nil)
    }

    @Test(
        "understands moments",
        arguments: [
            ("2026-11-22T14:00:00Z", "2026-11-22T14:00:00.000000Z"), ("2026-11-22", "2026-11-22T00:00:00.000000Z"),
            ("2026-11-22T14:00:00+01:00", "2026-11-22T13:00:00.000000Z"), ("90s", "2026-12-31T23:58:30.000000Z"),
            ("30m", "2026-12-31T23:30:00.000000Z"), ("24h", "2026-12-31T00:00:00.000000Z"),
            ("7d", "2026-12-25T00:00:00.000000Z"), ("2w", "2026-12-18T00:00:00.000000Z"),
        ])
    func moments(_ text: String, _ expected: String) throws {
        let now = try #require(Timestamp("2027-01-01T00:00:00Z"))
        #expect(MomentArgument(argument: text)?.timestamp(at: now).text == expected)
    }

    @Test(
        "understands nothing else as a moment",
        arguments: ["", "h", "1", "-1h", "+1h", "1.5h", "1y", "99999999999d", "yesterday", "2026-02-30"])
    func noMoments(_ text: String) { #expect(MomentArgument(argument: text) == nil) }
}
