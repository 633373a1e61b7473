import AlpacaSimulator
import Conformance
import TestKit
import Testing

@Suite("The conformance of a worker", .timeLimit(.minutes(20)))
struct WorkerConformanceTests {
    private func target(
        _ intake: String, _ outcomes: String, patience: Int = 60_000, orders: Bool = false
    ) throws -> WorkerUnderTest {
        try WorkerUnderTest(
            intake: intake, outcomes: outcomes, patience: patience,
            sampleOrder: orders ? WorkerUnderTest.SampleOrder(symbol: "AAPL", quantity: "1", limitPrice: "1") : nil,
            placesGoldenOrders: orders)
    }

    @Test("is whole for the real one, without an order where none may be placed")
    func real() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let target = try target(worker.intake, worker.outcomes)
        let findings = ([WorkerCheck.first] + WorkerCheck.rest).map { $0.run(target) }
        #expect(findings.filter(\.hasFailed) == [])
        #expect(findings.count { $0.isSkipped } == GoldenFrame.embedded.count { $0.placesOrder } + 2)
        #expect(await broker.receivedOrders().isEmpty)
    }

    @Test("is whole with orders, each of which is placed once")
    func orders() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let target = try target(worker.intake, worker.outcomes, orders: true)
        let checks = WorkerCheck.rest.filter { $0.name.hasPrefix("frame orders/") } + WorkerCheck.orders
        #expect(checks.count == GoldenFrame.embedded.count { $0.group == "orders" } + WorkerCheck.orders.count)
        #expect(checks.map { $0.run(target) }.filter { !$0.isOK } == [])
        let received = await broker.receivedOrders()
        #expect(Set(received.compactMap(\.clientOrderID)).count == received.count)
        #expect(received.count { $0.clientOrderID?.hasPrefix("conformance:") == true } == 4)
    }

    @Test("is whole through a bus that passes everything on")
    func faithfulBus() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let bus = try FaultyBus(before: worker, .none)
        let target = try target(bus.intake, bus.outcomes)
        #expect(WorkerCheck.rest.map { $0.run(target) }.filter(\.hasFailed) == [])
        withExtendedLifetime(bus) {}
    }

    /// What each fault must be found by; there may be more.
    static let faults: [(FaultyBus.Fault, [String])] = [
        (.answersNothing, ["is there, and takes decisions"]),
        (.answersWithoutJSON, ["is there, and takes decisions"]),
        (
            .losesEnvelopes,
            [
                "frame size/eight-frames", "frame size/nine-frames", "frame size/delimiter",
                "acknowledges what a DEALER with an empty frame first sends", "acknowledges what a REQ sends",
                "acknowledges what a REQ with REQ_CORRELATE and REQ_RELAXED sends",
            ]
        ),
        (
            .acceptsEverything,
            [
                "frame bad-json/nan", "frame bad-json/broken-utf8", "frame bad-field/unquoted-fraction",
                "frame bad-field/unknown-field", "frame version/version-2", "frame size/too-large",
                "frame again/id-conflict", "frame requests/replay-without-after",
            ]
        ),
        (
            .forgetsDuplicates,
            [
                "frame again/duplicate", "frame again/same-in-other-words",
                "tells a repeated decision its newest outcome",
                "takes the same bytes once, also when they come again before the answer",
            ]
        ),
        (.losesSequenceNumbers, ["acknowledges what a DEALER sends", "frame content/deadline-over"]),
        (.hidesMorePages, ["replays in pages, and says whether there is more"]),
        (
            .reversesReplays,
            [
                "numbers outcomes without gaps, by strategy_seq and by seq",
                "replays in pages, and says whether there is more",
            ]
        ),
        (.losesOutcomes, ["numbers outcomes without gaps, by strategy_seq and by seq"]),
        (.cutsTopics, ["publishes the outcome of a decision, and replays the same"]),
        (.mixesStrategies, ["publishes to who subscribes with the | at the end only what is asked for"]),
        (.changesOutcomes, ["publishes the outcome of a decision, and replays the same"]),
        (.addsFrames, ["publishes the outcome of a decision, and replays the same"]),
        (.losesHeartbeats, ["sends a heartbeat within 2 s, and each second"]),
        (.slowsHeartbeats, ["sends a heartbeat within 2 s, and each second"]),
        (.delaysCounters, ["tells in heartbeats how far outcomes are"]),
        (.namesOtherStreams, ["names one stream in every message"]),
    ]

    @Test("is denied to a bus that spoils one thing", arguments: faults)
    func faultyBus(fault: FaultyBus.Fault, found: [String]) async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let bus = try FaultyBus(before: worker, fault)
        let target = try target(bus.intake, bus.outcomes, patience: 1500)
        let checks = ([WorkerCheck.first] + WorkerCheck.rest).filter { found.contains($0.name) }
        #expect(checks.count == found.count)
        for check in checks {
            let finding = check.run(target)
            #expect(finding.hasFailed, "\(finding)")
        }
        withExtendedLifetime(bus) {}
    }

    @Test("knows each fault that a bus can have")
    func everyFault() {
        #expect(Self.faults.count == FaultyBus.Fault.allCases.count - 1)
    }
}

extension Finding {
    var isOK: Bool { if case .ok = verdict { true } else { false } }
    var hasFailed: Bool { if case .failed = verdict { true } else { false } }
    var isSkipped: Bool { if case .skipped = verdict { true } else { false } }
}
