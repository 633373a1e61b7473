import AlpacaSimulator
import GRDB
import StrictJSON
import TestKit
import Testing

@Suite("A decision that the broker takes", .timeLimit(.minutes(20)))
struct TakenDecisionTests {
    @Test("is acknowledged, posted once, followed to its fill, and stands complete in the database")
    func isExecuted() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let ack = try worker.decide("d-17", strategy: "mean-rev", "\"rationale\":{\"signal_strength\":8.5}")
        #expect(ack["status"] == "accepted")
        #expect(ack["duplicate"] == false)
        #expect(ack["decision_seq"]?.integer == 1)

        let outcome = try worker.finalOutcome(of: "d-17", strategy: "mean-rev")
        #expect(outcome["result"] == "success")
        #expect(outcome["decision_status"] == "executed")
        #expect(outcome["stream"] == ack["stream"])
        #expect(outcome["execution"]?["status"] == "filled")
        #expect(outcome["execution"]?["certainty"] == "answered")
        #expect(outcome["execution"]?["filled_quantity"] == "10")
        #expect(outcome["execution"]?["client_order_id"] == "mean-rev:d-17")

        let orders = await broker.receivedOrders()
        #expect(orders.map(\.clientOrderID) == ["mean-rev:d-17"])

        let row = try #require(
            try worker.rows(
                """
                SELECT d.status AS decision, d.rationale, e.status, e.certainty, e.attempt_number, e.filled_quantity,
                    q.method, q.endpoint, q.body AS request, r.status_code, r.body AS response, r.headers, e.commission
                FROM trade_decisions d JOIN trade_executions e ON e.trade_decision_id = d.id
                JOIN api_payloads q ON q.id = e.api_request_payload_id
                JOIN api_payloads r ON r.id = e.api_response_payload_id
                """
            ).first)
        #expect(row["decision"] == "executed")
        #expect(row["rationale"] == "{\"signal_strength\":8.5}")
        #expect(row["status"] == "filled")
        #expect(row["certainty"] == "answered")
        #expect(row["attempt_number"] == 1)
        #expect(row["filled_quantity"] == "10")
        #expect(row["method"] == "POST")
        #expect(row["endpoint"] == "/v2/orders")
        #expect(row["request"] == orders.first?.body)
        #expect(row["status_code"] == 200)
        #expect(row["commission"] == "0")
        let response = try JSONValue(parsing: try #require(row["response"] as String?))
        #expect(response["id"] == outcome["execution"]?["alpaca_order_id"])
        let headers = try JSONValue(parsing: try #require(row["headers"] as String?))
        #expect(headers["x-request-id"]?.string?.count == 32)
        #expect(try worker.texts("SELECT status FROM alpaca_orders") == ["filled"])
    }

    @Test("keeps every digit of its amounts, from the frame to the wire and back")
    func keepsDigits() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide(
            "d-1",
            """
            "symbol":"AAPL","side":"buy","quantity":"1.50","order_type":"limit","limit_price":"1.10"
            """)
        _ = try worker.outcomes { _ in true }
        let request = try JSONValue(parsing: try #require(await broker.receivedOrders().first?.body))
        #expect(request["qty"] == "1.50")
        #expect(request["limit_price"] == "1.10")
        #expect(try worker.texts("SELECT quantity FROM trade_decisions") == ["1.50"])
        #expect(try worker.texts("SELECT limit_price FROM trade_decisions") == ["1.10"])
    }

    @Test(
        "passes through whatever its shape",
        arguments: [
            #""symbol":"SPY","side":"buy","notional":"25.50""#,
            #""symbol":"BTC/USD","side":"buy","quantity":"0.001","time_in_force":"gtc""#,
            #""symbol":"MSFT","side":"buy","quantity":2,"order_type":"stop","stop_price":"900""#,
            #""symbol":"MSFT","side":"buy","quantity":2,"order_type":"stop_limit","stop_price":"900","limit_price":"910""#,
            #""symbol":"MSFT","side":"buy","quantity":2,"order_type":"trailing_stop","trail_percent":"1.5""#,
            #""symbol":"KO","side":"buy","quantity":2,"order_class":"bracket","take_profit":{"limit_price":"900"},"stop_loss":{"stop_price":"1","limit_price":"0.9"}"#,
            #""symbol":"KO","side":"buy","quantity":2,"order_class":"oto","stop_loss":{"stop_price":"1"}"#,
            #""symbol":"AAPL261218C00250000","side":"buy","quantity":1,"position_intent":"buy_to_open""#,
            #""symbol":"F","side":"buy","quantity":2,"order_type":"limit","limit_price":"1","extended_hours":true"#,
        ])
    func shapes(_ members: String) async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        #expect(try worker.decide("d-1", members)["status"] == "accepted")
        let outcome = try #require(try worker.outcomes { _ in true }.last)
        #expect(outcome["execution"]?["certainty"] == "answered", "\(outcome.text)")
        #expect(outcome["execution"]?["http_status_code"]?.integer == 200, "\(outcome.text)")
    }

    @Test("passes through with several legs, and without a symbol of its own")
    func multiLeg() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        let ack = try worker.ask(
            #"""
            {"v":1,"decision_id":"d-1","strategy_name":"s","quantity":"1","order_type":"limit","limit_price":"3",
            "order_class":"mleg","legs":[
            {"symbol":"AAPL261218C00250000","ratio_qty":"1","side":"buy","position_intent":"buy_to_open"},
            {"symbol":"AAPL261218C00260000","ratio_qty":1,"side":"sell","position_intent":"sell_to_open"}]}
            """#)
        #expect(ack["status"] == "accepted", "\(ack.text)")
        let outcome = try #require(try worker.outcomes { _ in true }.last)
        #expect(outcome["execution"]?["http_status_code"]?.integer == 200, "\(outcome.text)")
        #expect(outcome["symbol"] == JSONValue.null)
        #expect(try worker.number("SELECT count(*) FROM alpaca_orders WHERE parent_order_id IS NOT NULL") == 2)
    }
}

@Suite("A decision that the broker refuses", .timeLimit(.minutes(20)))
struct RefusedByBrokerTests {
    @Test("fails with the broker's message, code and HTTP status, and the next decision goes on")
    func insufficientBuyingPower() async throws {
        let broker = try await SimulatedAlpaca.start()
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide("d-1", #""symbol":"AAPL","side":"buy","quantity":"1000000""#)
        _ = try worker.decide("d-2")
        let outcome = try worker.finalOutcome(of: "d-1")
        #expect(outcome["result"] == "failed")
        #expect(outcome["decision_status"] == "failed")
        #expect(outcome["execution"]?["status"] == "rejected")
        #expect(outcome["execution"]?["certainty"] == "answered")
        #expect(outcome["execution"]?["http_status_code"]?.integer == 403)
        #expect(outcome["execution"]?["error_message"] == "insufficient buying power")
        #expect(try worker.finalOutcome(of: "d-2")["result"] == "success")
        let row = try #require(
            try worker.rows("SELECT status, failed_at FROM trade_decisions WHERE decision_id = 'd-1'").first)
        #expect(row["status"] == "failed")
        #expect(row["failed_at"] != nil as String?)
        #expect(await broker.summary().posts == 2)
    }

    @Test("for its rate fails and is not tried again")
    func rateLimit() async throws {
        let broker = try await SimulatedAlpaca.start()
        await broker.addFault(FaultRule(.text429))
        let worker = try RunningWorker(broker: broker.url)
        _ = try worker.decide("d-1")
        let outcome = try worker.finalOutcome(of: "d-1")
        #expect(outcome["result"] == "failed")
        #expect(outcome["execution"]?["http_status_code"]?.integer == 429)
        #expect(outcome["execution"]?["status"] == "rejected")
        #expect(await broker.summary().posts == 1)
    }
}
