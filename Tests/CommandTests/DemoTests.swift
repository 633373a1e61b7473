import Testing

@Suite("The demo", .timeLimit(.minutes(20)))
struct DemoTests {
    @Test("leaves no simulator behind where its worker does not start")
    func noWorker() throws {
        // A pipe ends once the last process that holds it has ended.
        let run = try CommandRun(
            shell: #"{ timeout 60 "$0" demo --state-dir /proc/none 2>&1; echo "code $?"; } | cat"#, [])
        #expect(run.lines.last == "code 1")
        #expect(run.output.contains("the worker did not start; its error stands above"))
    }
}
