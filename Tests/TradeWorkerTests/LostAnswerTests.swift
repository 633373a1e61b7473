import AlpacaSimulator
import Foundation
import GRDB
import HostSystem
import StrictJSON
import TestKit
import Testing

@Suite("An attempt that goes wrong on the way", .timeLimit(.minutes(20)))
struct LostAnswerTests {
    /// Flags for a worker that does not wait long for anything.
    private static let impatient = ["--broker-timeout-ms", "1500", "--settle-time-s", "2"]

    @Test(
        "is unknown, posted once, and found again where the broker had taken it",
        arguments: [
            Fault.closeAfterRecording, .closeReusedConnectionAfterRecording, .resetMidBody, .truncatedJSON, .empty200,
            .html200, .html504, .json500AfterRecording,
        ])
    func isFoundAgain(_ fault: Fault) async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url, settings: Self.impatient)
        // The first decision makes sure that the one under test goes over a connection that was used before.
        _ = try worker.decide("d-0")
        _ = try worker.finalOutcome(of: "d-0")
        await broker.addFault(FaultRule(fault, clientOrderID: "s:d-1"))
        _ = try worker.decide("d-1")
        _ = try worker.decide("d-2")

        let outcomes = try worker.outcomes { $0["decision_id"] == "d-1" && $0["final"] == true }
        let results = outcomes.filter { $0["decision_id"] == "d-1" }.compactMap { $0["result"]?.string }
        #expect(results.first == "unknown")
        #expect(results.last == "success")
        #expect(try worker.finalOutcome(of: "d-2")["result"] == "success")
        let received = await broker.receivedOrders()
        #expect(received.map(\.clientOrderID) == ["s:d-0", "s:d-1", "s:d-2"])
        #expect(received.first { $0.clientOrderID == "s:d-1" }?.fault == fault)
        // The look-up that found it is on record.
        #expect(
            try worker.number(
                """
                SELECT count(*) FROM api_payloads WHERE method = 'GET' AND type = 'ApiResponse' AND status_code = 200
                    AND endpoint LIKE '/v2/orders:by_client_order_id%'
                """) == 1)
    }

    @Test(
        "is unknown, posted once, and proven absent where the broker had not taken it",
        arguments: [
            Fault.closeBeforeRecording, .closeReusedConnection, .html502, .html504Unrecorded, .json500Unrecorded,
        ])
    func isProvenAbsent(_ fault: Fault) async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url, settings: Self.impatient)
        _ = try worker.decide("d-0")
        _ = try worker.finalOutcome(of: "d-0")
        await broker.addFault(FaultRule(fault, clientOrderID: "s:d-1"))
        _ = try worker.decide("d-1")

        let outcomes = try worker.outcomes { $0["decision_id"] == "d-1" && $0["final"] == true }
            .filter { $0["decision_id"] == "d-1" }
        #expect(outcomes.map { $0["result"]?.string } == ["unknown", "failed"])
        #expect(outcomes.last?["reason"] == "absent")
        #expect(outcomes.last?["execution"]?["status"] == "rejected")
        #expect(outcomes.last?["execution"]?["certainty"] == "answered")
        #expect(await broker.summary().posts == 2)
        // A single 404 proves nothing: there were at least three, and each is on record.
        #expect(
            try worker.number("SELECT count(*) FROM api_payloads WHERE method = 'GET' AND status_code = 404") >= 3)
    }

    @Test("leaves once, whatever goes wrong, and so does the next", arguments: Fault.allCases)
    func leavesOnce(_ fault: Fault) async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url, settings: Self.impatient)
        _ = try worker.decide("d-0")
        _ = try worker.finalOutcome(of: "d-0")
        await broker.addFault(FaultRule(fault, clientOrderID: "s:d-1", milliseconds: fault == .slowDrip ? 1 : 200))
        for id in ["d-1", "d-2"] { _ = try worker.decide(id) }
        for id in ["d-1", "d-2"] { _ = try worker.finalOutcome(of: id) }
        #expect(await broker.receivedOrders().map(\.clientOrderID) == ["s:d-0", "s:d-1", "s:d-2"])
    }

    @Test("is answered all the same when the answer comes slowly, byte by byte")
    func slowDrip() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        await broker.addFault(FaultRule(.slowDrip, milliseconds: 1))
        _ = try worker.decide("d-1")
        let first = try #require(try worker.outcomes { _ in true }.first)
        #expect(first["execution"]?["certainty"] == "answered")
        #expect(try worker.finalOutcome(of: "d-1")["result"] == "success")
        #expect(await broker.summary().posts == 1)
    }

    @Test(
        "is unknown when the broker takes longer than the time-out, and found again",
        arguments: [Fault.delayBeforeRecording, .delayAfterRecording])
    func timesOut(_ fault: Fault) async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(
            broker: broker.url, settings: ["--broker-timeout-ms", "500", "--settle-time-s", "5"])
        await broker.addFault(FaultRule(fault, milliseconds: 1500))
        _ = try worker.decide("d-1")
        let outcomes = try worker.outcomes { $0["final"] == true }
        #expect(outcomes.first?["result"] == "unknown")
        #expect(outcomes.last?["result"] == "success")
        #expect(await broker.summary().posts == 1)
    }

    @Test("is not taken for absent while the broker does not show it yet")
    func isHiddenAtFirst() async throws {
        var settings = SimulatedAlpaca.Settings()
        settings.hiddenForMilliseconds = 1500
        let broker = try await SimulatedAlpaca.start(settings: settings)
        let worker = try RunningWorker(broker: broker.url, settings: ["--settle-time-s", "4"])
        await broker.addFault(FaultRule(.html504))
        _ = try worker.decide("d-1")
        let outcomes = try worker.outcomes { $0["final"] == true }
        #expect(outcomes.last?["result"] == "success")
        #expect(await broker.summary().posts == 1)
    }

    @Test("was never sent when nobody listens there: rejected, with a pseudo-response that is marked as ours")
    func connectionRefused() async throws {
        let broker = try await SimulatedAlpaca.start()
        let url = broker.url
        await broker.stop()
        let worker = try RunningWorker(broker: url)
        _ = try worker.decide("d-1")
        let outcome = try worker.finalOutcome(of: "d-1")
        #expect(outcome["result"] == "failed")
        #expect(outcome["execution"]?["certainty"] == "not_sent")
        #expect(outcome["execution"]?["status"] == "rejected")
        let row = try #require(
            try worker.rows(
                "SELECT body, synthetic, status_code FROM api_payloads WHERE type = 'ApiResponse'"
            ).first)
        #expect(row["synthetic"] == 1)
        #expect(row["status_code"] == 500)
        let body = try JSONValue(parsing: try #require(row["body"] as String?))
        #expect(body["status"] == "error")
        #expect(body["http_status"]?.integer == 500)
    }
}

@Suite("A client order id that the broker knows already", .timeLimit(.minutes(20)))
struct AdoptionTests {
    @Test("is our own order from before the database was lost: it is adopted, and nothing is placed twice")
    func isAdopted() async throws {
        let broker = try await SimulatedAlpaca.start()
        do {
            let lost = try RunningWorker(broker: broker.url)
            _ = try lost.decide("d-1")
            _ = try lost.finalOutcome(of: "d-1")
        }
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide("d-1")
        let outcomes = try worker.outcomes { $0["final"] == true }
        #expect(outcomes.map { $0["result"]?.string } == ["unknown", "success"])
        let summary = await broker.summary()
        #expect(summary.recorded == 1)
        #expect(summary.duplicates == 1)
    }

    @Test("is somebody else's order: the execution is rejected as client_order_id_taken")
    func isTaken() async throws {
        let broker = try await SimulatedAlpaca.start()
        do {
            let other = try RunningWorker(broker: broker.url)
            _ = try other.decide("d-1", #""symbol":"MSFT","side":"buy","quantity":"3""#)
            _ = try other.finalOutcome(of: "d-1")
        }
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide("d-1")
        let outcome = try worker.finalOutcome(of: "d-1")
        #expect(outcome["result"] == "failed")
        #expect(outcome["reason"] == "client_order_id_taken")
        #expect(outcome["execution"]?["alpaca_order_id"] == JSONValue.null)
        #expect(try worker.number("SELECT count(*) FROM alpaca_orders") == 0)
    }
}

@Suite("A database that was lost and restored from a copy", .timeLimit(.minutes(20)))
struct RestoredDatabaseTests {
    /// A worker whose database is what it was when d-1 was under way and d-2 and d-3 waited; at the broker all three are
    /// filled.
    private func restored() async throws -> (SimulatedAlpaca, RunningWorker) {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.delayBeforeRecording, milliseconds: 1500))
        let worker = try RunningWorker(broker: broker.url)
        for id in ["d-1", "d-2", "d-3"] { _ = try worker.decide(id) }
        let copy = worker.stateDirectory + "/copy.db"
        try worker.copyDatabase(to: copy)
        #expect(try worker.finalOutcome(of: "d-3")["result"] == "success")
        worker.kill()
        try worker.restoreDatabase(from: copy)
        return (broker, worker)
    }

    @Test("places nothing twice, and adopts what it had forgotten")
    func sendsAgain() async throws {
        let (broker, worker) = try await restored()
        try worker.restart()
        for id in ["d-1", "d-2", "d-3"] {
            let outcome = try worker.finalOutcome(of: id)
            #expect(outcome["result"] == "success")
            #expect(outcome["execution"]?["resolution"] == (id == "d-1" ? "found" : "adopted"))
        }
        // What an earlier process accepted is looked up before it is sent, so that not even a second request leaves.
        #expect(await broker.summary() == ReceivedSummary(posts: 3, distinctClientOrderIDs: 3, recorded: 3))
    }

    @Test("does not call failed what has gone stale meanwhile, before the broker was asked")
    func hasGoneStale() async throws {
        let (broker, worker) = try await restored()
        try worker.write(
            "UPDATE trade_decisions SET expires_at = '2026-01-01T00:00:00.000000Z', expires_boot_id = 'another'")
        try worker.restart()
        for id in ["d-2", "d-3"] {
            let outcome = try worker.finalOutcome(of: id)
            #expect(outcome["result"] == "success")
            #expect(outcome["execution"]?["resolution"] == "adopted")
        }
        #expect(await broker.summary().posts == 3)
        // The request that must have been sent is there, marked as not seen.
        #expect(
            try worker.number("SELECT count(*) FROM api_payloads WHERE type = 'ApiRequest' AND synthetic = 1") == 2)
    }

    @Test("refuses what the broker does not know, and keeps the look-up that says so")
    func wasNeverSent() async throws {
        let broker = try await SimulatedAlpaca.start()
        // It waits behind a decision whose request takes long, so that nothing more than its acceptance is stored.
        await broker.addFault(FaultRule(.delayAfterRecording, milliseconds: 60_000))
        let worker = try RunningWorker(
            broker: broker.url, environment: ["TRADE_EXECUTOR_KILL_AT": "acceptance_committed:2"])
        _ = try worker.decide("d-0")
        try worker.dieOf(RunningWorker.decision("d-1"))
        try worker.write(
            "UPDATE trade_decisions SET expires_at = '2026-01-01T00:00:00.000000Z', expires_boot_id = 'another'")
        try worker.restart()
        let outcome = try worker.finalOutcome(of: "d-1")
        #expect(outcome["reason"] == "expired")
        #expect(outcome["execution"] == JSONValue.null)
        #expect(await !broker.receivedOrders().contains { $0.clientOrderID == "s:d-1" })
        #expect(
            try worker.number(
                """
                SELECT count(*) FROM api_payloads JOIN trade_decisions d ON d.id = trade_decision_id
                WHERE decision_id = 'd-1' AND method = 'GET' AND status_code = 404
                """) == 1)
    }
}
