import Foundation
import HostSystem
import StrictJSON
import TestKit
import Testing

@Suite("The kill switch, with no worker and no database", .timeLimit(.minutes(20)))
struct HaltCommandTests {
    @Test("writes a halt that says who, when and why")
    func halt() throws {
        let state = try StateOnDisk()
        let run = try state.run("halt", "--reason", "exchange down", "--hold")
        #expect(run.exitCode == 0)
        #expect(run.lines.first == "halted: all strategies")
        #expect(run.output.contains("wait until `resume`"))
        #expect(run.output.contains("no worker is running there"))
        let halt = try JSONValue(parsing: try Files.read(state.path + "/halt/all", bytesMax: 4096))
        #expect(halt["scope"] == "all")
        #expect(halt["hold"] == true)
        #expect(halt["reason"] == "exchange down")
        #expect(halt["by"]?.string?.contains("@") == true)
        #expect(halt["at"]?.string?.hasSuffix("Z") == true)
        // The worker may be another user.
        let attributes = try FileManager.default.attributesOfItem(atPath: state.path + "/halt/all")
        #expect((attributes[.posixPermissions] as? Int).map { $0 & 0o044 } == 0o044)
    }

    @Test("halts on a full disk, by a file that needs no room")
    func fullDisk() throws {
        let state = try StateOnDisk()
        let halt = #"(trap '' XFSZ; ulimit -f 0; "$0" halt --state-dir "$1" $2; echo "code $?") 2>&1 | cat"#
        let held = try CommandRun(shell: halt, [state.path, "--hold"])
        #expect(held.lines.last == "code 1")
        #expect(held.output.hasPrefix("Error: NOT halted: "))
        #expect(held.output.contains("leave out --hold, without which a halt needs no room"))
        #expect(try Files.names(in: state.path + "/halt").isEmpty)
        let plain = try CommandRun(shell: halt, [state.path, ""])
        #expect(plain.lines.last == "code 0")
        #expect(plain.output.contains("Warning: halted by an empty file, which does not say by whom and why: "))
        #expect(plain.lines.contains("halted: all strategies"))
        #expect(try state.run("halt", "--list").lines.first == "halted: all strategies, by hand")
        let again = try CommandRun(shell: halt, [state.path, ""])
        #expect(again.lines.last == "code 1")
        #expect(again.output.contains("; the halt by hand stays"))
    }

    @Test("ends one halt and says which others are in force")
    func resume() throws {
        let state = try StateOnDisk()
        _ = try state.run("halt")
        _ = try state.run("halt", "--strategy", "mean-rev", "--reason", "drawdown")
        #expect(try Files.names(in: state.path + "/halt") == ["all", "strategy-mean-rev"])
        let resumed = try state.run("resume")
        #expect(resumed.exitCode == 0)
        #expect(resumed.lines.first == "resumed: all strategies")
        #expect(resumed.lines.last?.hasPrefix("  still halted: strategy mean-rev") == true)
        #expect(resumed.lines.last?.hasSuffix(": drawdown") == true)
        #expect(try Files.names(in: state.path + "/halt") == ["strategy-mean-rev"])
        #expect(try state.run("resume", "--strategy", "mean-rev").output == "resumed: strategy mean-rev\n")
        let again = try state.run("resume")
        #expect(again.exitCode == 0)
        #expect(again.output == "nothing to resume: all strategies had no halt\n")
    }

    @Test("takes the place of a halt, and names it")
    func replace() throws {
        let state = try StateOnDisk()
        _ = try state.run("halt", "--reason", "first")
        let run = try state.run("halt", "--reason", "second")
        #expect(run.lines.contains { $0.hasPrefix("  in place of the halt by ") && $0.hasSuffix(": first") })
    }

    @Test("puts on record who did what and why, and lists it with what is in force")
    func history() throws {
        let state = try StateOnDisk()
        let empty = try state.run("halt", "--list")
        #expect(empty.output == "nothing is halted\n")
        #expect(try !Files.exists(state.path + "/halt/all"))
        _ = try state.run("halt", "--reason", "exchange\u{1B}[2J down")
        _ = try state.run("resume", "--reason", "up again")
        _ = try state.run("resume")
        _ = try state.run("halt", "--strategy", "mean-rev", "--hold")
        let lines = try String(contentsOfFile: state.path + "/halt-history.jsonl", encoding: .utf8).split(
            separator: "\n")
        let entries = try lines.map { try JSONValue(parsing: String($0)) }
        #expect(entries.map { $0["action"] } == ["halted", "resumed", "halted"])
        #expect(entries.map { $0["scope"] } == ["all", "all", "strategy-mean-rev"])
        #expect(entries.map { $0["reason"] } == ["exchange\u{1B}[2J down", "up again", .null])
        #expect(entries.allSatisfy { $0["by"]?.string?.contains("@") == true })

        let listed = try state.run("halt", "--list", "--json").json()
        #expect(listed.map { $0["entry"] } == ["in_force", "halted", "resumed", "halted"])
        #expect(try state.run("halt", "--list", "--json", "--limit", "1").json().count == 2)
        let text = try state.run("halt", "--list").output
        #expect(text.hasPrefix("halted: strategy mean-rev, by "))
        #expect(text.contains("up again") && !text.contains("\u{1B}"))
        #expect(try Files.names(in: state.path + "/halt") == ["strategy-mean-rev"])
    }

    @Test(
        "does not halt with a flag of the list left over",
        arguments: [["--json"], ["--list", "--hold"], ["--limit", "3"]])
    func wrongUsage(_ flags: [String]) throws {
        let state = try StateOnDisk()
        #expect(try CommandRun(["halt", "--state-dir", state.path] + flags).exitCode == 64)
        #expect(try !Files.exists(state.path + "/halt/all"))
    }

    @Test("halts nothing in a directory that is not there, and says so", arguments: ["halt", "resume"])
    func noDirectory(_ command: String) throws {
        let state = try StateOnDisk()
        let path = state.path + "/elsewhere"
        let run = try CommandRun([command, "--state-dir", path])
        #expect(run.exitCode == 1)
        #expect(run.errorLines.count == 1)
        #expect(run.errors.contains("there is no state directory \(path)"))
        #expect(try !Files.exists(path))
    }

    @Test("finds its directory by the environment and by a file, and is not stopped by an open secret in it")
    func settings() throws {
        let state = try StateOnDisk()
        #expect(try CommandRun(["halt"], environment: ["TRADE_EXECUTOR_STATE_DIR": state.path]).exitCode == 0)
        let file = state.path + "/settings"
        try Data("state_dir = \(state.path)\napi_key_id = a\napi_secret_key = b\n".utf8)
            .write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        let run = try CommandRun(["resume", "--config", file])
        #expect(run.exitCode == 0)
        #expect(run.output == "resumed: all strategies\n")
    }
}
