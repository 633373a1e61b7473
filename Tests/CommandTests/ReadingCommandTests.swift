import Foundation
import StrictJSON
import TestKit
import Testing

@Suite("Commands that read what a stopped worker left", .timeLimit(.minutes(20)))
struct ReadingCommandTests {
    @Test("list executions as an aligned table without any control character")
    func table() throws {
        let run = try StateOnDisk.withTrades().run("executions")
        #expect(run.exitCode == 0)
        #expect(run.errors.isEmpty)
        #expect(
            run.output == """
                TIME (UTC)           STRATEGY  DECISION  SIDE  AMOUNT  SYMBOL  STATUS     CERTAINTY  FILLED       REASON
                2026-11-22 14:00:03  pairs     d-1       buy       10  AAPL    submitted  unknown                 Timeout was reached
                2026-11-22 14:00:02  mean-rev  d-2       buy       10  AAPL    rejected   answered                403 insufficient buying power
                2026-11-22 14:00:01  mean-rev  d-1       buy       10  AAPL    filled     answered   10 @ 150.25

                """)
    }

    @Test("list executions as JSON, one object a line")
    func json() throws {
        let state = try StateOnDisk.withTrades()
        let all = try state.run("executions", "--json").json()
        #expect(all.map { $0["decision_id"] } == ["d-1", "d-2", "d-1"])
        #expect(all.allSatisfy { $0["request_payload"] == nil })
        let filled = try state.run("executions", "--json", "--payloads", "--scope", "successful").json()
        #expect(filled.map { $0["filled_avg_price"] } == ["150.25"])
        #expect(filled.first?["response_payload"]?["status_code"] == 200)
        #expect(try state.run("executions", "--json", "--limit", "1").lines.count == 1)
        #expect(try state.run("executions", "--json", "--limit", "0").lines.count == 3)
        #expect(try state.run("executions", "--json", "--since", "2026-11-22T14:00:03Z").lines.count == 1)
        #expect(try state.run("executions", "--json", "--symbol", "MSFT").lines.isEmpty)
        #expect(try state.run("executions", "--symbol", "MSFT").output == "no executions\n")
    }

    @Test("show payloads under each row")
    func payloads() throws {
        let run = try StateOnDisk.withTrades().run("executions", "--payloads", "--strategy", "pairs")
        #expect(run.lines.count == 4)
        #expect(run.lines[2].hasPrefix(#"    request:  {"symbol":"AAPL","qty":"10","side":"buy""#))
        #expect(run.lines[3] == "    response: none")
    }

    @Test("count failures, those of the broker apart from those before it")
    func failures() throws {
        let state = try StateOnDisk.withTrades()
        #expect(
            try state.run("failures").output == """
                COUNT  KIND      MESSAGE
                    1  refused   expired
                    1  rejected  403 insufficient buying power

                """)
        let json = try state.run("failures", "--by", "strategy", "--json").json()
        #expect(json.map { $0["strategy_name"] } == ["mean-rev", "pairs"])
        #expect(json.map { $0["kind"] } == ["rejected", "refused"])
        #expect(try state.run("failures", "--since", "2026-11-23").output == "no failures\n")
    }

    @Test("show everything of an id", arguments: ["o-1", "mean-rev:d-1", "execution-1"])
    func show(_ id: String) throws {
        let state = try StateOnDisk.withTrades()
        let run = try state.run("show", id)
        #expect(run.exitCode == 0)
        for line in [
            "Decision d-1 — of mean-rev", "  filled       10 @ 150.25", "  Alpaca id    o-1",
            "  order        buy 10 AAPL, market, day",
            "                 \"client_order_id\": \"mean-rev:d-1\"", "Response, HTTP 200", "Orders at the broker",
        ] {
            #expect(run.lines.contains(line), "\(line)")
        }
        let json = try state.run("show", id, "--json").json()
        #expect(json.map { $0["execution"]?["execution_id"] } == ["execution-1"])
    }

    @Test("show all decisions of one id, and say that there are several")
    func showSeveral() throws {
        let state = try StateOnDisk.withTrades()
        let run = try state.run("show", "d-1")
        #expect(run.lines.first == "2 decisions are called d-1; all of them follow")
        #expect(try state.run("show", "d-1", "--json").lines.count == 2)
    }

    @Test("say on one line that nothing is called so")
    func showNothing() throws {
        let run = try StateOnDisk.withTrades().run("show", "d-99")
        #expect(run.exitCode == 1)
        #expect(run.output.isEmpty)
        #expect(run.errorLines.count == 1)
        #expect(run.errors.hasPrefix("Error: nothing is called d-99"))
    }

    @Test("fail on one line where there is no database", arguments: ["executions", "failures", "show x"])
    func noDatabase(_ command: String) throws {
        let state = try StateOnDisk()
        let run = try CommandRun(command.split(separator: " ").map(String.init) + ["--state-dir", state.path])
        #expect(run.exitCode == 1)
        #expect(run.errorLines.count == 1)
        #expect(run.errors.contains("there is no database at \(state.path)/trades.db"))
    }

    @Test("do not call a database missing that cannot be looked at", arguments: ["executions", "failures", "show x"])
    func unreadable(_ command: String) throws {
        let directory = try TemporaryDirectory()
        let loop = directory.path + "/loop"
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        let run = try CommandRun(command.split(separator: " ").map(String.init) + ["--state-dir", loop])
        #expect(run.exitCode == 1)
        #expect(run.errors == "Error: \(loop)/trades.db cannot be read: Too many levels of symbolic links\n")
    }

    @Test("say which configuration file is not there, and who named it")
    func noConfiguration() throws {
        let run = try CommandRun(["executions"], environment: ["TRADE_EXECUTOR_CONFIG": "/none.conf"])
        #expect(run.exitCode == 1)
        #expect(
            run.errors
                == "Error: there is no configuration file /none.conf, which --config or TRADE_EXECUTOR_CONFIG names\n")
    }

    @Test(
        "call wrong usage so",
        arguments: [
            "executions --scope nonsense", "executions --status open", "executions --since yesterday",
            "executions --limit -1", "failures --by weekday", "show", "halt --strategy a:b", "nonsense",
            "reconcile --timeout 99999999999999999", "keys allow a --strategy b:c",
        ])
    func usage(_ command: String) throws {
        #expect(try CommandRun(command.split(separator: " ").map(String.init)).exitCode == 64)
    }

    @Test("let no text from outside act on a terminal")
    func controlCharacters() throws {
        let state = try StateOnDisk()
        let message = #"{"message":"\u001b[31mred\u001b[0m\u0007\nnext\u202e"}"#
        try state.history().execute("d-1", ending: .error(status: 422, body: message))
        for command in ["executions", "failures", "show"] {
            let run = try command == "show" ? state.run(command, "d-1") : state.run(command)
            #expect(run.output.contains(#"\u{1b}[31mred\u{1b}[0m\u{7}\u{a}next\u{202e}"#), "\(command)")
            #expect(!run.output.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" }, "\(command)")
        }
        #expect(try state.run("show", "\u{1b}[31m").errorLines.first?.contains(#"\u{1b}[31m"#) == true)
    }

    @Test("end quietly when nobody reads on")
    func closedPipe() throws {
        let state = try StateOnDisk()
        let history = try state.history()
        for number in 1...600 { try history.execute("d-\(number)") }
        let run = try CommandRun(
            shell:
                #"{ "$0" executions --limit 0 --json --payloads --state-dir "$1"; echo "code $?" >&2; } | head -n 1"#,
            [state.path])
        #expect(run.lines.count == 1)
        #expect(run.errors == "code 0\n")
    }
}
