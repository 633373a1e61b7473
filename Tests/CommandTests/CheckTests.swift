import AlpacaAPI
import AlpacaSimulator
import Foundation
import StrictJSON
import TestKit
import Testing

@testable import trade_executor

@Suite("A check before trading", .timeLimit(.minutes(20)))
struct CheckTests {
    @Test("finds everything right, and places nothing")
    func right() async throws {
        let broker = try await SimulatedAlpaca.start()
        let state = try StateOnDisk.withTrades()
        let run = try state.run("check", "--broker-url", broker.url)
        #expect(run.exitCode == 0)
        #expect(run.errors.isEmpty)
        #expect(run.lines.allSatisfy { $0.hasPrefix("ok ") }, "\(run.output)")
        #expect(run.lines.contains("ok    credentials     from nowhere: a simulator needs none"))
        #expect(await broker.receivedOrders().isEmpty)
    }

    @Test("says what is wrong with the settings, and shows no secret")
    func wrongSettings() throws {
        let state = try StateOnDisk()
        let run = try CommandRun(
            ["check", "--state-dir", state.path, "--max-age-s", "soon"],
            environment: ["APCA_API_KEY_ID": "PKVISIBLE", "APCA_API_SECRET_KEY": "hush-hush"])
        #expect(run.exitCode == 1)
        #expect(run.lines.contains { $0.hasPrefix("WRONG configuration") && $0.contains("--max-age-s") })
        #expect(run.errorLines.count == 1)
        #expect(!(run.output + run.errors).contains("hush-hush"))
        #expect(!(run.output + run.errors).contains("PKVISIBLE"))
        let none = try CommandRun(["check", "--state-dir", state.path])
        #expect(none.exitCode == 1)
        #expect(none.lines.contains { $0.contains("set APCA_API_KEY_ID and APCA_API_SECRET_KEY") })
    }

    @Test("says what a limits file limits, or what is wrong with it")
    func limits() async throws {
        let broker = try await SimulatedAlpaca.start()
        let state = try StateOnDisk()
        let path = state.path + "/limits.json"
        try #"{"v":1,"all":{"orders_per_day":5},"strategies":{"s":{"reduce_only":true}}}"#.write(
            toFile: path, atomically: true, encoding: .utf8)
        let run = try state.run("check", "--broker-url", broker.url, "--limits", path)
        #expect(run.exitCode == 0)
        let lines = run.lines.filter { $0.hasPrefix("ok    limits ") }
        #expect(lines.count == 3)
        #expect(lines.contains { $0.hasSuffix("all strategies together: orders_per_day 5") }, "\(run.output)")
        #expect(lines.contains { $0.hasSuffix("strategy s: reduce_only") }, "\(run.output)")
        try #"{"v":1,"all":{"orders_per_dya":5}}"#.write(toFile: path, atomically: true, encoding: .utf8)
        let wrong = try state.run("check", "--broker-url", broker.url, "--limits", path)
        #expect(wrong.exitCode == 1)
        #expect(wrong.lines.contains { $0.hasPrefix("WRONG limits") && $0.contains("all.orders_per_dya is no limit") })
    }

    @Test("says that the broker cannot be reached")
    func unreachable() throws {
        let state = try StateOnDisk()
        // Port 1 is nobody's.
        let run = try state.run("check", "--broker-url", "http://127.0.0.1:1")
        #expect(run.exitCode == 1)
        #expect(run.lines.contains { $0.hasPrefix("WRONG account") && $0.contains("cannot be reached") })
    }

    @Test("says that a state directory cannot be made")
    func stateDirectory() throws {
        let run = try CommandRun(["check", "--state-dir", "/dev/null/state", "--broker-url", "http://127.0.0.1:1"])
        #expect(run.exitCode == 1)
        #expect(run.lines.contains { $0.hasPrefix("WRONG state directory") })
    }
}

@Suite("An answer of the broker to a check")
struct BrokerCheckTests {
    @Test(
        "is explained, with what to do",
        arguments: [
            (HTTPExchangeResult.answered(HTTPAnswer(statusCode: 401, body: [])), "APCA_API_SECRET_KEY"),
            (.answered(HTTPAnswer(statusCode: 403, body: [])), "https://api.alpaca.markets"),
            (.answered(HTTPAnswer(statusCode: 404, body: [])), "--broker-url"),
            (.answered(HTTPAnswer(statusCode: 429, body: [])), "in a minute"),
            (.answered(HTTPAnswer(statusCode: 503, body: [])), "status.alpaca.markets"),
            (.answered(HTTPAnswer(statusCode: 302, body: [])), "check --broker-url"),
            (.notSent(reason: "SSL peer certificate or SSH remote key was not OK"), "CA certificates"),
            (.notSent(reason: "Couldn't resolve host name"), "DNS"),
            (.notSent(reason: "Couldn't connect to server"), "firewall"),
            (.lost(reason: "Timeout was reached", partial: nil), "time-outs"),
        ])
    func problem(_ result: HTTPExchangeResult, _ advice: String) throws {
        let problem = try #require(BrokerCheck.problem(result, try BrokerURL(BrokerURL.paper)))
        #expect(problem.contains(advice), "\(problem)")
    }

    @Test("is no problem when it is 200")
    func fine() throws {
        let answer = HTTPExchangeResult.answered(HTTPAnswer(statusCode: 200, body: []))
        #expect(try BrokerCheck.problem(answer, BrokerURL(BrokerURL.paper)) == nil)
    }
}
