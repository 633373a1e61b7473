import StrictJSON
import Testing
import TradingCore

@Suite("An outcome")
struct OutcomeTests {
    private func source() throws -> OutcomeSource {
        OutcomeSource(stream: "9f2c6a01d4e8b7c3", partition: try #require(PartitionName("p0")))
    }

    private func body(_ outcome: Outcome) throws -> JSONValue {
        try JSONValue(parsing: outcome.body(OutcomeNumbers(seq: 90210, strategySeq: 17), from: source()))
    }

    /// The outcome of the decision of `frame()` after its attempt went as `steps` say.
    private func outcome(_ steps: (inout Execution) throws -> Void) throws -> Outcome {
        var execution = try attempt()
        try steps(&execution)
        return Outcome(DecisionSummary(try decision()), of: execution, at: at(5))
    }

    /// Checks that `value` has every member that `wanted` has, with the same value, however deep.
    private func expect(_ value: JSONValue, has wanted: JSONValue, _ path: String = "") {
        guard let members = wanted.members else {
            #expect(value == wanted, "\(path)")
            return
        }
        for member in members {
            expect(value[member.key] ?? "absent", has: member.value, "\(path).\(member.key)")
        }
    }

    @Test("of an order filled at once has every field of the contract's example")
    func filled() throws {
        let outcome = try outcome { execution in
            var filled = try order("filled", filled: "100", at: "150.25")
            filled.id = "61e69015-8549-4bfd-b9c3-01e75843f47d"
            filled.filledAt = Timestamp("2026-11-22T14:30:01.1Z")
            try execution.end(filled)
        }
        #expect(outcome.topic == "outcome|mean-rev|AAPL|filled")
        let example = """
            {"v":1,"type":"outcome","stream":"9f2c6a01d4e8b7c3","seq":90210,"strategy_seq":17,"partition":"p0",
             "decision_id":"d-17","strategy_name":"mean-rev","symbol":"AAPL","side":"buy","quantity":"100",
             "result":"success","final":true,"decision_status":"executed","reason":null,
             "execution":{"execution_id":"0b36c0f8-7d5e-4e0e-9d8b-0f0f0f0f0f0f","client_order_id":"mean-rev:d-17",
               "attempt_number":1,"status":"filled","certainty":"answered",
               "alpaca_order_id":"61e69015-8549-4bfd-b9c3-01e75843f47d","http_status_code":200,"error_message":null,
               "filled_quantity":"100","filled_avg_price":"150.25","commission":"0",
               "submitted_at":"\(start.text)","filled_at":"2026-11-22T14:30:01.100000Z","rejected_at":null},
             "at":"\(at(5).text)"}
            """
        expect(try body(outcome), has: try JSONValue(parsing: example))
    }

    @Test("of an order under way is pending and not final")
    func pending() throws {
        let outcome = try outcome { try $0.end(order("pending_new")) }
        #expect(outcome.topic == "outcome|mean-rev|AAPL|submitted")
        expect(
            try body(outcome),
            has: [
                "result": "pending", "final": false, "decision_status": "executing", "reason": nil,
                "execution": [
                    "status": "submitted", "certainty": "answered", "filled_quantity": "0", "filled_at": nil,
                ],
            ])
    }

    @Test("of an order filled in part and then cancelled is partial")
    func partial() throws {
        let outcome = try outcome { execution in
            try execution.end(order("new"))
            _ = try execution.look(order("canceled", filled: "40.50", at: "150"))
        }
        #expect(outcome.topic == "outcome|mean-rev|AAPL|cancelled")
        expect(
            try body(outcome),
            has: [
                "result": "partial", "final": true, "decision_status": "executed", "reason": nil,
                "execution": ["status": "cancelled", "filled_quantity": "40.5", "filled_avg_price": "150"],
            ])
    }

    @Test("of an order that the broker refused says why, in the broker's very words")
    func refusedByBroker() throws {
        let message = "asset \"ÅÄÖ/\u{2028}USD\"\nnot found \\ \u{0} '; DROP TABLE executions; --"
        let outcome = try outcome {
            $0.end(
                .refused(BrokerError(code: 42_210_000, message: message)), httpStatusCode: 422,
                terms: try decision().order, at: at(1))
        }
        #expect(outcome.topic == "outcome|mean-rev|AAPL|rejected")
        expect(
            try body(outcome),
            has: [
                "result": "failed", "final": true, "decision_status": "failed", "reason": .string(message),
                "execution": [
                    "status": "rejected", "certainty": "answered", "http_status_code": 422,
                    "error_message": .string(message), "alpaca_order_id": nil, "filled_quantity": nil,
                    "filled_avg_price": nil, "commission": "0", "rejected_at": .string(at(1).text),
                ],
            ])
    }

    @Test("of an attempt that was never sent is a failure with the pseudo-response's status")
    func notSent() throws {
        let outcome = try outcome {
            $0.end(.notSent(reason: "no route"), httpStatusCode: nil, terms: try decision().order, at: at(1))
        }
        #expect(outcome.topic == "outcome|mean-rev|AAPL|rejected")
        expect(
            try body(outcome),
            has: [
                "result": "failed", "final": true, "reason": "no route",
                "execution": ["certainty": "not_sent", "http_status_code": 500],
            ])
    }

    @Test("of an attempt without an answer is unknown and not final")
    func unknown() throws {
        let outcome = try outcome {
            $0.end(.lost(reason: "timed out"), httpStatusCode: nil, terms: try decision().order, at: at(1))
        }
        #expect(outcome.topic == "outcome|mean-rev|AAPL|submitted")
        expect(
            try body(outcome),
            has: [
                "result": "unknown", "final": false, "decision_status": "executing", "reason": nil,
                "execution": [
                    "status": "submitted", "certainty": "unknown", "http_status_code": nil,
                    "error_message": "timed out", "alpaca_order_id": nil, "filled_quantity": nil, "rejected_at": nil,
                ],
            ])
    }

    @Test(
        "of a decision that was never sent is refused, with the reason and no execution",
        arguments: [(SendRefusal.expired, "expired"), (.halted, "halted")])
    func refused(_ refusal: SendRefusal, _ word: String) throws {
        let outcome = Outcome(DecisionSummary(try decision()), refusedFor: refusal, at: at(5))
        #expect(outcome.topic == "outcome|mean-rev|AAPL|refused")
        expect(
            try body(outcome),
            has: [
                "decision_id": "d-17", "symbol": "AAPL", "quantity": "100", "result": "failed", "final": true,
                "decision_status": "failed", "reason": .string(word), "execution": nil, "at": .string(at(5).text),
            ])
    }

    @Test("of a decision that is against a limit says in a message which one, and how far")
    func refusedForLimit() throws {
        let outcome = Outcome(
            DecisionSummary(try decision()), refusedFor: .ordersPerDayLimit, message: "orders_per_day is 5", at: at(5))
        expect(try body(outcome), has: ["reason": "orders_per_day_limit", "message": "orders_per_day is 5"])
    }

    @Test("repeats the amount as it was given: shares or money, to the digit")
    func amounts() throws {
        let shares = Outcome(DecisionSummary(try decision(["quantity": "\"0.50\""])), refusedFor: .expired, at: at(5))
        expect(try body(shares), has: ["quantity": "0.50", "notional": nil])
        let money = try decision(["quantity": nil, "notional": "\"250.00\""])
        let dollars = Outcome(DecisionSummary(money), refusedFor: .expired, at: at(5))
        expect(try body(dollars), has: ["quantity": nil, "notional": "250.00"])
    }

    @Test("of a multi-leg order has no symbol and no side, and mleg in its topic")
    func multiLeg() throws {
        let terms = OrderTerms(symbol: nil, side: nil, amount: try quantity("2"), orderClass: .multiLeg)
        let decision = Decision(id: try decision().id, strategy: try decision().strategy, order: terms)
        var execution = try attempt()
        execution.end(.lost(reason: "gone"), httpStatusCode: nil, terms: terms, at: at(1))
        let outcome = Outcome(DecisionSummary(decision), of: execution, at: at(5))
        #expect(outcome.topic == "outcome|mean-rev|mleg|submitted")
        expect(try body(outcome), has: ["symbol": nil, "side": nil, "quantity": "2"])
    }
}
