package import AlpacaAPI
package import CurlTransport
package import HostSystem
package import OrderResolution
package import TradingCore
package import ZeroMQMessaging

// The worker's edges as the real world has them.

extension SystemError {
    fileprivate var fault: EdgeFault { EdgeFault(description) }
}

/// Runs `body` and turns what it throws into a fault of the edge.
private func faulting<Value, Failure: Error & CustomStringConvertible>(
    _ body: () throws(Failure) -> Value
) throws(EdgeFault) -> Value {
    do throws(Failure) {
        return try body()
    } catch {
        throw EdgeFault(error.description)
    }
}

/// The machine's clocks, with the boot that they count from.
package struct HostClock: WorkerClock {
    private let clock = SystemClock()
    private let bootID: String

    package init() throws(SystemError) {
        bootID = try SystemClock.bootID()
    }

    package func read() -> ClockReading {
        ClockReading(moment: clock.now(), monotonic: clock.monotonic(), bootID: bootID)
    }
}

/// The intake as ZeroMQ has it.
package struct ZeroMQIntake: DecisionIntake {
    private let socket: IntakeSocket
    private let gate: AccessGate
    private let credentials: Credentials
    private let traffic: ConnectionTraffic

    /// - Parameters:
    ///   - credentials: What no message may hold, since messages are kept.
    ///   - traffic: Where the bytes of every connection are counted.
    package init(
        _ socket: IntakeSocket, behind gate: AccessGate, credentials: Credentials, traffic: ConnectionTraffic
    ) {
        self.socket = socket
        self.gate = gate
        self.credentials = credentials
        self.traffic = traffic
    }

    package func receive() throws(EdgeFault) -> IncomingMessage<IntakeSocket.ReturnAddress>? {
        guard let message = try faulting({ () throws(ZeroMQError) in try socket.receive() }) else { return nil }
        if let passage = message.passage { traffic.took(passage.bytes, from: passage.connection) }
        let (rights, sender) = gate.rights(address: message.address, userID: message.userID)
        var body = message.body
        let holdsCredentials = credentials.redact(&body, mayBeCut: false)
        return IncomingMessage(
            envelope: message.returnAddress, body: body, sender: sender, rights: rights,
            excess: message.excess?.refusal, withCredentials: holdsCredentials ? message.body : nil)
    }

    package func reply(_ body: [UInt8], to address: IntakeSocket.ReturnAddress) throws(EdgeFault) {
        let passage = try faulting { () throws(ZeroMQError) in try socket.reply(body, to: address) }
        if let passage { traffic.handed(passage.bytes, to: passage.connection) }
    }
}

extension IntakeSocket.Excess {
    fileprivate var refusal: Refusal {
        switch self {
        case .frames: Refusal(.tooLarge, "a message has at most \(IntakeSocket.framesMax) frames")
        case .envelope:
            Refusal(.tooLarge, "the frames before the body have at most \(IntakeSocket.envelopeBytesMax) bytes in all")
        }
    }
}

extension OutcomeSocket: OutcomeTopic {
    package func publish(topic: String, body: [UInt8]) throws(EdgeFault) {
        try faulting { () throws(ZeroMQError) in try send(topic: topic, body: body) }
    }
}

extension MoveFiles: MoveRequests {
    package func requests() throws(EdgeFault) -> [MoveRequest] {
        try faulting { () throws(SystemError) in try all() }
    }

    package func beginImport(of id: String) throws(EdgeFault) -> Int {
        try faulting { () throws(SystemError) in try countTry(of: id) }
    }

    package func endImport(of id: String) throws(EdgeFault) {
        try faulting { () throws(SystemError) in try clearTries(of: id) }
    }
}

extension Configuration {
    /// How to reach the broker.
    package var brokerAccess: BrokerAccess {
        BrokerAccess(
            url: brokerURL, credentials: credentials,
            connectTimeoutMilliseconds: brokerConnectTimeoutMilliseconds,
            requestTimeoutMilliseconds: brokerTimeoutMilliseconds)
    }
}

extension PlacementLine: OrderPlacement {
    package func post(path: String, body: [UInt8]) throws(EdgeFault) {
        try faulting { () throws(CurlError) in try start(path: path, body: body) }
    }
}

extension LookUpLine: OrderLookUps {
    package func get(path: String) throws(EdgeFault) {
        try faulting { () throws(CurlError) in try start(path: path) }
    }
}

extension HaltFiles: HaltSwitch {
    package func all() throws(EdgeFault) -> [Halt] {
        try faulting { () throws(SystemError) in try list() }
    }

    package func namesOfNoHalt() throws(EdgeFault) -> [String] {
        try faulting { () throws(SystemError) in try strays() }
    }

    package func isInForce(_ scope: Halt.Scope) throws(EdgeFault) -> Bool {
        try faulting { () throws(SystemError) in try isThere(scope) }
    }

    package func set(_ halt: Halt) throws(EdgeFault) {
        try faulting { () throws(SystemError) in try write(halt) }
    }

    package func record(_ event: HaltEvent) throws(EdgeFault) {
        try faulting { () throws(SystemError) in try history.append(event) }
    }

    package func recorded(from position: Int64) throws(EdgeFault) -> HaltHistoryPage? {
        try faulting { () throws(SystemError) in try history.read(from: position) }
    }
}

/// Time-ordered UUIDs (version 7 of RFC 9562): new ones lie side by side in the database's index.
package struct TimeOrderedUUIDs: ExecutionIDs {
    package init() {}

    package func next(at time: Timestamp) -> String {
        let milliseconds = UInt64(bitPattern: time.nanoseconds / 1_000_000)
        let random1 = UInt64.random(in: .min ... .max)
        let random2 = UInt64.random(in: .min ... .max)
        let high = milliseconds << 16 | 0x7000 | random1 & 0x0FFF
        let low = 0x8000_0000_0000_0000 | random2 & 0x3FFF_FFFF_FFFF_FFFF
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for place in 0..<32 {
            if place == 8 || place == 12 || place == 16 || place == 20 { text.append(UInt8(ascii: "-")) }
            let half = place < 16 ? high : low
            let digit = UInt8(half >> UInt64(60 - place % 16 * 4) & 15)
            text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
