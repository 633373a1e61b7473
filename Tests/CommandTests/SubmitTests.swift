import Testing

@Suite("Submitting by hand, with no worker there", .timeLimit(.minutes(20)))
struct SubmitTests {
    private static let nobody = ["submit", "--intake", "tcp://127.0.0.1:1"]
    private static let order = nobody + ["--symbol", "AAPL", "--side", "buy", "--quantity", "1"]

    @Test("names the id under which the same can be sent again, at once and at the end")
    func noAnswer() throws {
        let run = try CommandRun(SubmitTests.order + ["--timeout", "3"])
        #expect(run.exitCode == 1)
        #expect(run.output.isEmpty)
        #expect(run.errorLines.count == 2)
        let id = try #require(run.errors.firstMatch(of: /--id ([0-9]{20}-[0-9]+), never with another/)).1
        for line in run.errorLines { #expect(line.contains("--id \(id), never with another")) }
        let named = try CommandRun(SubmitTests.order + ["--id", "d-1", "--timeout", "1"])
        #expect(named.errorLines.count == 1)
        #expect(named.errors.contains("--id d-1, never with another"))
    }

    @Test("takes a time that it can wait", arguments: ["0", "-1", "99999999999999999"])
    func timeout(_ seconds: String) throws {
        #expect(try CommandRun(SubmitTests.order + ["--timeout=\(seconds)"]).exitCode == 64)
    }

    @Test("sends nothing where there is nothing to send")
    func emptyInput() throws {
        let run = try CommandRun(SubmitTests.nobody)
        #expect(run.exitCode == 1)
        #expect(run.errors.hasPrefix("Error: standard input is empty: nothing was sent"))
    }
}
