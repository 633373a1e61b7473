import AlpacaSimulator
import Glibc
import StrictJSON
import Testing

/// What a client sees of a fault, and whether the order exists afterwards.
struct WireFaultCase: CustomTestStringConvertible, Sendable {
    let fault: Fault
    let isRecorded: Bool
    let status: Int?

    var testDescription: String { fault.rawValue }
}

@Suite("A fault on the wire")
struct WireFaultTests {
    @Test(
        "that closes gives no byte, and records the order or does not",
        arguments: [
            WireFaultCase(fault: .closeBeforeRecording, isRecorded: false, status: nil),
            WireFaultCase(fault: .closeAfterRecording, isRecorded: true, status: nil),
        ])
    func closes(_ row: WireFaultCase) async throws {
        let simulator = try await SimulatedAlpaca.start()
        await simulator.addFault(FaultRule(row.fault))
        let client = try RawClient(port: simulator.port)
        client.send(RawClient.text("POST", "/v2/orders", RawClient.order("s:1")))
        #expect(client.rest() == [])
        #expect(client.end == .closed)
        try await expect(simulator, row)
        // It struck once.
        #expect(try RawClient(port: simulator.port).submit("s:2")?.status == 200)
        await simulator.stop()
    }

    @Test(
        "that waits for a reused connection spares the first request and closes at the second, read in full",
        arguments: [
            WireFaultCase(fault: .closeReusedConnection, isRecorded: false, status: nil),
            WireFaultCase(fault: .closeReusedConnectionAfterRecording, isRecorded: true, status: nil),
        ])
    func closesReused(_ row: WireFaultCase) async throws {
        let simulator = try await SimulatedAlpaca.start()
        await simulator.addFault(FaultRule(row.fault))
        let client = try RawClient(port: simulator.port)
        #expect(client.submit("s:0")?.status == 200)
        client.send(RawClient.text("POST", "/v2/orders", RawClient.order("s:1")))
        #expect(client.rest() == [])
        #expect(client.end == .closed)
        let received = await simulator.receivedOrders()
        #expect(received.map(\.isOnReusedConnection) == [false, true])
        #expect(received.map(\.connection) == [1, 1])
        #expect(received.last?.body == RawClient.order("s:1"))
        try await expect(simulator, row)
        await simulator.stop()
    }

    @Test("that resets sends half of the body and then RST, with the order recorded")
    func resets() async throws {
        let simulator = try await SimulatedAlpaca.start()
        await simulator.addFault(FaultRule(.resetMidBody))
        let client = try RawClient(port: simulator.port)
        client.send(RawClient.text("POST", "/v2/orders", RawClient.order("s:1")))
        let text = String(decoding: client.rest(), as: UTF8.self)
        #expect(client.end == .reset)
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.contains("\"asset_class\""))
        #expect(!text.contains("\"updated_at\""))
        try await expect(simulator, WireFaultCase(fault: .resetMidBody, isRecorded: true, status: 200))
        await simulator.stop()
    }

    @Test("that drips sends every byte by itself, and the answer is whole")
    func drips() async throws {
        let simulator = try await SimulatedAlpaca.start()
        await simulator.addFault(FaultRule(.slowDrip, milliseconds: 1))
        let client = try RawClient(port: simulator.port)
        let answer = client.submit("s:1")
        #expect(answer?.status == 200)
        #expect(answer?.json?["client_order_id"] == "s:1")
        #expect(client.pieces > 10)
        await simulator.stop()
    }

    @Test(
        "that answers something else keeps the connection",
        arguments: [
            WireFaultCase(fault: .truncatedJSON, isRecorded: true, status: 200),
            WireFaultCase(fault: .empty200, isRecorded: true, status: 200),
            WireFaultCase(fault: .html200, isRecorded: true, status: 200),
            WireFaultCase(fault: .html502, isRecorded: false, status: 502),
            WireFaultCase(fault: .html504, isRecorded: true, status: 504),
            WireFaultCase(fault: .html504Unrecorded, isRecorded: false, status: 504),
            WireFaultCase(fault: .json500AfterRecording, isRecorded: true, status: 500),
            WireFaultCase(fault: .json500Unrecorded, isRecorded: false, status: 500),
            WireFaultCase(fault: .text429, isRecorded: false, status: 429),
        ])
    func answersOtherwise(_ row: WireFaultCase) async throws {
        let simulator = try await SimulatedAlpaca.start()
        await simulator.addFault(FaultRule(row.fault))
        let client = try RawClient(port: simulator.port)
        let answer = try #require(client.submit("s:1"))
        #expect(answer.status == row.status)
        #expect(answer.headers["x-request-id"]?.count == 32)
        switch row.fault {
        case .truncatedJSON:
            #expect(answer.json == nil)
            #expect(answer.body.count > 300)
        case .empty200: #expect(answer.body.isEmpty)
        case .html200, .html502, .html504, .html504Unrecorded:
            #expect(answer.headers["content-type"] == "text/html")
        case .json500AfterRecording, .json500Unrecorded: #expect(answer.json?["code"] == 50_010_000)
        case .text429: #expect(String(decoding: answer.body, as: UTF8.self) == "too many requests")
        default: Issue.record("not a fault that answers otherwise")
        }
        try await expect(simulator, row)
        #expect(client.submit("s:2")?.status == 200)
        await simulator.stop()
    }

    @Test(
        "that delays answers late and records before or after the wait",
        arguments: [(Fault.delayBeforeRecording, false), (.delayAfterRecording, true)])
    func delays(_ fault: Fault, _ isRecordedDuringTheWait: Bool) async throws {
        let simulator = try await SimulatedAlpaca.start()
        await simulator.addFault(FaultRule(fault, milliseconds: 1500))
        let client = try RawClient(port: simulator.port)
        let clock = ContinuousClock()
        let start = clock.now
        client.send(RawClient.text("POST", "/v2/orders", RawClient.order("s:1")))
        while await simulator.receivedOrders().isEmpty { try await Task.sleep(for: .milliseconds(1)) }
        try await Task.sleep(for: .milliseconds(100))
        if clock.now - start < .milliseconds(1300) {
            #expect(await (simulator.order(clientOrderID: "s:1") != nil) == isRecordedDuringTheWait)
        }
        #expect(client.answer()?.status == 200)
        #expect(clock.now - start >= .milliseconds(1500))
        await simulator.stop()
    }

    private func expect(_ simulator: SimulatedAlpaca, _ row: WireFaultCase) async throws {
        let received = try #require(await simulator.receivedOrders().last { $0.clientOrderID == "s:1" })
        #expect(received.fault == row.fault)
        #expect(received.isRecorded == row.isRecorded)
        #expect(received.httpStatus == row.status)
        let order = await simulator.order(clientOrderID: "s:1")
        #expect((order != nil) == row.isRecorded)
        #expect(received.orderID == order?.id)
    }
}

@Suite("Faults by rule and at random")
struct FaultChoiceTests {
    @Test("strike only what their rule names")
    func rules() async throws {
        let simulator = try await SimulatedAlpaca.start()
        await simulator.addFault(FaultRule(.html502, times: nil, contains: "b:"))
        await simulator.addFault(FaultRule(.html504, clientOrderID: "a:2"))
        await simulator.addFault(FaultRule(.json500Unrecorded, symbol: "PEP"))
        let client = try RawClient(port: simulator.port)
        #expect(client.submit("a:1")?.status == 200)
        #expect(client.submit("b:1")?.status == 502)
        #expect(client.submit("a:2")?.status == 504)
        #expect(client.submit("b:2")?.status == 502)
        #expect(client.submit("a:3")?.status == 200)
        await simulator.clearFaults()
        #expect(client.submit("b:3")?.status == 200)
        await simulator.stop()
    }

    @Test("strike look-ups when told so")
    func lookups() async throws {
        let simulator = try await SimulatedAlpaca.start()
        await simulator.addFault(FaultRule(.html504, clientOrderID: "s:1", method: .get))
        let client = try RawClient(port: simulator.port)
        let id = try #require(client.submit("s:1")?.json?["id"]?.string)
        #expect(client.request("GET", "/v2/orders:by_client_order_id?client_order_id=s%3A2")?.status == 404)
        #expect(client.request("GET", "/v2/orders/\(id)")?.status == 504)
        #expect(client.request("GET", "/v2/orders/\(id)")?.status == 200)
        await simulator.stop()
    }

    @Test("at random are the same for the same seed, and as frequent as asked for")
    func random() async throws {
        let first = try await statuses(seed: 7)
        #expect(try await statuses(seed: 7) == first)
        #expect(try await statuses(seed: 8) != first)
        #expect((20...180).contains(first.filter { $0 != 200 }.count))
    }

    private func statuses(seed: UInt64) async throws -> [Int] {
        let simulator = try await SimulatedAlpaca.start()
        await simulator.setRandomFaults(
            RandomFaults(seed: seed, perMille: 200, faults: [.html502, .html504, .json500AfterRecording]))
        let client = try RawClient(port: simulator.port)
        let statuses = (0..<400).map { client.submit("s:\($0)")?.status ?? 0 }
        await simulator.stop()
        return statuses
    }
}
