import AlpacaAPI
import StrictJSON
import Testing
import TradingCore

/// Random numbers that are the same in every run (SplitMix64, Steele and others, 2014).
private struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

@Suite("An answer damaged at random")
struct MutatedAnswerTests {
    /// The bytes with one to three of them changed, lost or put in, or cut short.
    private func damaged(_ bytes: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0..<3, using: &numbers) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &numbers)
            switch Int.random(in: 0..<10, using: &numbers) {
            case 0..<3: bytes[place] = UInt8.random(in: .min ... .max, using: &numbers)
            case 3..<6: bytes[place] = UInt8.random(in: UInt8(ascii: "0")...UInt8(ascii: "9"), using: &numbers)
            case 6: bytes.remove(at: place)
            case 7: bytes.insert(UInt8(ascii: "9"), at: place)
            case 8: bytes.insert(contentsOf: Array("\"filled_qty\":\"7\",".utf8), at: place)
            default: bytes.removeSubrange(place...)
            }
        }
        return bytes
    }

    @Test(
        "never crashes the reader, is never called refused on a 2xx, and says what it says where it is taken",
        arguments: try RecordedAnswer.all())
    func success(_ answer: RecordedAnswer) throws {
        var numbers = SeededNumbers(state: 20_261_122)
        let ours = try decision().clientOrderID
        for _ in 0..<60 {
            let body = damaged(answer.body(with: ours), &numbers)
            switch try attemptResult(200, body) {
            case .lost: continue
            case .refused, .exists, .notSent: Issue.record("\(String(decoding: body, as: UTF8.self))")
            case .taken(let order):
                let tree = try JSONValue(parsing: body)
                let filled = tree["filled_qty"].flatMap { $0.isNull ? nil : $0.string ?? $0.text }
                #expect(order.id == tree["id"]?.string)
                #expect(tree["client_order_id"]?.string == ours.text)
                #expect(order.status.text == tree["status"]?.string)
                #expect(order.filledQuantity?.text == filled)
            }
        }
    }

    @Test(
        "with 422 stays a refusal or a duplicate while it can be read, with 5xx unknown",
        arguments: try RecordedAnswer.all())
    func failure(_ answer: RecordedAnswer) throws {
        var numbers = SeededNumbers(state: 42)
        for _ in 0..<30 {
            let body = damaged(answer.body, &numbers)
            switch try attemptResult(422, body) {
            case .refused(let error), .exists(let error): #expect(!error.message.isEmpty)
            case .lost: #expect(!ErrorAnswer.isReadable(body))
            case .taken, .notSent: Issue.record("\(String(decoding: body, as: UTF8.self))")
            }
            guard case .lost = try attemptResult(503, body) else {
                Issue.record("\(String(decoding: body, as: UTF8.self))")
                continue
            }
        }
    }

    @Test("of absurd amounts is survived by an execution, over a chain of many orders")
    func absurdAmounts() throws {
        let decision = try decision()
        let start = Timestamp(nanoseconds: 0)
        var execution = Execution(id: "e", clientOrderID: decision.clientOrderID, submittedAt: start)
        execution.findAfterRestart()
        for link in 0..<200 {
            let text = """
                {"id":"o-\(link)","client_order_id":"mean-rev:d-17","status":"replaced","replaced_by":"o-\(link + 1)",
                 "qty":"100","filled_qty":"999999999999999.999999999999999999"}
                """
            let order = try #require(OrderAnswer.order(Array(text.utf8)))
            let isNew = execution.observe(order, terms: decision.order, at: start)
            #expect(isNew)
        }
        let filled = try #require(execution.filledQuantity)
        #expect(ExactDecimal(filled.text) == filled)
    }
}
