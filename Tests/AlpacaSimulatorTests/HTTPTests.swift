import AlpacaSimulator
import StrictJSON
import Testing
import TradingCore

@Suite("A request over HTTP")
struct HTTPTests {
    private func client(
        _ change: (inout SimulatedAlpaca.Settings) -> Void = { _ in }
    ) async throws -> (RawClient, SimulatedAlpaca) {
        var settings = SimulatedAlpaca.Settings()
        change(&settings)
        let simulator = try await SimulatedAlpaca.start(settings: settings)
        return (try RawClient(port: simulator.port), simulator)
    }

    @Test("for an order is answered 200 and pending_new, and the order is found by every way")
    func submit() async throws {
        let (client, simulator) = try await client()
        let answer = try #require(client.submit("mean-rev:d-17"))
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "application/json; charset=UTF-8")
        #expect(answer.json?["status"] == "pending_new")
        let id = try #require(answer.json?["id"]?.string)
        let dashless = id.split(separator: "-").joined()
        for target in [
            "/v2/orders/\(id)", "/v2/orders/\(dashless)",
            "/v2/orders:by_client_order_id?client_order_id=mean-rev%3Ad-17",
            "/v2/orders%3Aby_client_order_id?client_order_id=mean-rev:d-17",
        ] {
            #expect(client.request("GET", target)?.json?["id"] == .string(id))
        }
        #expect(client.request("GET", "/v2/orders?status=all")?.json?.array?.count == 1)
        await simulator.stop()
    }

    @Test(
        "for an order that is not there is answered as Alpaca does",
        arguments: [
            ("GET", "/v2/orders/nonsense", 422, "order_id is missing"),
            (
                "GET", "/v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d", 404,
                "order not found for 61e69015-8549-4bfd-b9c3-01e75843f47d"
            ),
            ("GET", "/v2/orders:by_client_order_id?client_order_id=x%20y", 404, "order not found for x y"),
            ("GET", "/v2/orders:by_client_order_id", 422, "client_order_id is missing"),
            ("GET", "/v2/positions/KO", 404, "position does not exist"),
            ("GET", "/v2/nothing", 404, "endpoint not found"),
            ("POST", "/v2/orders", 400, "request body format is invalid"),
        ])
    func missing(_ method: String, _ target: String, _ status: Int, _ message: String) async throws {
        let (client, simulator) = try await client()
        let answer = client.request(method, target, method == "POST" ? "{" : "")
        #expect(answer?.status == status)
        #expect(answer?.json?["message"] == .string(message))
        await simulator.stop()
    }

    @Test("carries a request id and the rate limit's headers on every answer")
    func headers() async throws {
        let (client, simulator) = try await client()
        for answer in [client.request("GET", "/v2/clock"), client.request("GET", "/v2/orders/nonsense")] {
            #expect(answer?.headers["x-request-id"]?.allSatisfy(\.isHexDigit) == true)
            #expect(answer?.headers["x-ratelimit-limit"] == "200")
            #expect(answer?.headers["x-ratelimit-remaining"] == "199")
            #expect(answer?.headers["x-ratelimit-reset"].flatMap { Int($0) } != nil)
        }
        await simulator.stop()
    }

    @Test("beyond the rate limit is answered 429 and places nothing")
    func rateLimit() async throws {
        let (client, simulator) = try await client { $0.rateLimit = 3 }
        let statuses = (0..<5).map { client.submit("s:\($0)")?.status }
        #expect(statuses == [200, 200, 200, 429, 429])
        #expect(await simulator.summary().recorded == 3)
        await simulator.stop()
    }

    @Test("without credentials gets nginx's page, with wrong ones JSON without a code")
    func credentials() async throws {
        let (client, simulator) = try await client {
            $0.keyID = "key"
            $0.secret = "secret"
        }
        let none = client.request("GET", "/v2/account", headers: "")
        #expect(none?.status == 401)
        #expect(none.map { String(decoding: $0.body, as: UTF8.self) }?.hasPrefix("<html>\r\n<head>") == true)
        let wrong = client.request(
            "GET", "/v2/account", headers: "APCA-API-KEY-ID: key\r\nAPCA-API-SECRET-KEY: wrong\r\n")
        #expect(wrong?.status == 401)
        #expect(wrong?.json == ["message": "unauthorized."])
        #expect(wrong?.headers["www-authenticate"] != nil)
        #expect(client.request("GET", "/v2/account")?.status == 200)
        // key:secret
        #expect(
            client.request("GET", "/v2/account", headers: "Authorization: Basic a2V5OnNlY3JldA==\r\n")?.status == 200)
        await simulator.stop()
    }

    @Test("that is not JSON is refused before its credentials are looked at")
    func parseFirst() async throws {
        let (client, simulator) = try await client()
        #expect(client.request("POST", "/v2/orders", "{", headers: "")?.status == 400)
        await simulator.stop()
    }

    @Test("may come in pieces, in chunks, after 100-continue, and several at once")
    func framing() async throws {
        let (client, simulator) = try await client()
        let whole = RawClient.text("POST", "/v2/orders", RawClient.order("s:1"))
        client.send(String(whole.prefix(40)))
        try await Task.sleep(for: .milliseconds(20))
        client.send(String(whole.dropFirst(40)))
        #expect(client.answer()?.status == 200)

        let body = RawClient.order("s:2")
        let size = String(body.utf8.count, radix: 16)
        client.send(
            "POST /v2/orders HTTP/1.1\r\n\(RawClient.credentials)Transfer-Encoding: chunked\r\n\r\n"
                + "\(size)\r\n\(body)\r\n0\r\n\r\n")
        #expect(client.answer()?.status == 200)

        client.send(
            "POST /v2/orders HTTP/1.1\r\n\(RawClient.credentials)Expect: 100-continue\r\n"
                + "Content-Length: \(RawClient.order("s:3").utf8.count)\r\n\r\n")
        #expect(client.answer()?.status == 100)
        client.send(RawClient.order("s:3"))
        #expect(client.answer()?.status == 200)

        client.send(RawClient.text("GET", "/v2/clock") + RawClient.text("GET", "/v2/account"))
        #expect(client.answer()?.json?["is_open"] == true)
        #expect(client.answer()?.json?["currency"] == "USD")
        await simulator.stop()
    }

    @Test("that is no request ends the connection")
    func malformed() async throws {
        let (client, simulator) = try await client()
        client.send("what is this\r\n\r\n")
        #expect(String(decoding: client.rest(), as: UTF8.self).hasPrefix("HTTP/1.1 400"))
        #expect(client.end == .closed)
        await simulator.stop()
    }

    @Test("for an asset takes a symbol, an id, and an encoded slash")
    func assets() async throws {
        let (client, simulator) = try await client()
        let id = try #require(client.request("GET", "/v2/assets/BTC%2FUSD")?.json?["id"]?.string)
        for name in ["BTCUSD", "BTC/USD", id] {
            #expect(client.request("GET", "/v2/assets/\(name)")?.json?["symbol"] == "BTC/USD")
        }
        #expect(client.request("GET", "/v2/assets/BRK.B")?.json?["class"] == "us_equity")
        #expect(client.request("GET", "/v2/assets/NOPE")?.status == 404)
        await simulator.stop()
    }

    @Test("to cancel is answered 204, all at once 207, and to replace with a new order")
    func changes() async throws {
        let (client, simulator) = try await client()
        let body =
            #"{"symbol":"KO","qty":1,"side":"buy","type":"limit","limit_price":50.5,"time_in_force":"gtc"}"#
        var ids: [String] = []
        for _ in 0..<3 {
            ids.append(try #require(client.request("POST", "/v2/orders", body)?.json?["id"]?.string))
        }
        try await settle(client, ids, "new")
        let cancelled = client.request("DELETE", "/v2/orders/\(ids[0])")
        #expect(cancelled?.status == 204)
        #expect(cancelled?.headers["content-length"] == nil)
        let replaced = client.request("PATCH", "/v2/orders/\(ids[1])", #"{"limit_price":"51"}"#)
        #expect(replaced?.status == 200)
        #expect(replaced?.json?["replaces"] == .string(ids[1]))
        try await settle(client, [ids[0]], "canceled")
        try await settle(client, [ids[1]], "replaced")
        let all = client.request("DELETE", "/v2/orders")
        #expect(all?.status == 207)
        #expect(all?.json?.array?.map { $0["status"] } == [200, 200])
        await simulator.stop()
    }

    private func settle(_ client: RawClient, _ ids: [String], _ status: String) async throws {
        for id in ids {
            for _ in 0..<500 {
                if client.request("GET", "/v2/orders/\(id)")?.json?["status"]?.string == status { break }
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(client.request("GET", "/v2/orders/\(id)")?.json?["status"] == .string(status))
        }
    }

    @Test("to close positions sells what is held")
    func closePositions() async throws {
        let (client, simulator) = try await client { $0.exchange.timings = .filling(afterMilliseconds: 10) }
        #expect(client.submit("s:1")?.status == 200)
        try await Task.sleep(for: .milliseconds(50))
        #expect(client.request("GET", "/v2/positions/KO")?.json?["qty"] == "1")
        let closing = client.request("DELETE", "/v2/positions/KO")
        #expect(closing?.json?["side"] == "sell")
        #expect(closing?.json?["position_intent"] == "sell_to_close")
        try await Task.sleep(for: .milliseconds(50))
        #expect(client.request("GET", "/v2/positions")?.json == [])
        #expect(
            client.request("GET", "/v2/account/activities/FILL")?.json?.array?.map { $0["side"] } == ["sell", "buy"])
        await simulator.stop()
    }
}

@Suite("What the simulator is told and tells over HTTP")
struct ControlTests {
    @Test("is the list of every POST, duplicates marked")
    func received() async throws {
        let simulator = try await SimulatedAlpaca.start()
        let client = try RawClient(port: simulator.port)
        _ = client.submit("s:1")
        _ = client.submit("s:1")
        _ = client.submit("s:2")
        let list = try #require(client.request("GET", "/_simulator/orders", headers: "")?.json?.array)
        #expect(list.map { $0["sequence"] } == [1, 2, 3])
        #expect(list.map { $0["duplicate"] } == [false, true, false])
        #expect(list.map { $0["recorded"] } == [true, false, true])
        #expect(list.map { $0["http_status"] } == [200, 422, 200])
        #expect(list[0]["body"] == .string(RawClient.order("s:1")))
        #expect(
            client.request("GET", "/_simulator/orders?summary=true")?.json
                == ["posts": 3, "distinct_client_order_ids": 2, "duplicates": 1, "recorded": 2])
        #expect(client.request("GET", "/_simulator/requests")?.json?["POST /v2/orders"] == 3)
        await simulator.stop()
    }

    @Test("makes faults, scripts, closing times, hidden orders and prices")
    func told() async throws {
        let simulator = try await SimulatedAlpaca.start()
        let client = try RawClient(port: simulator.port)
        func tell(_ path: String, _ body: String) {
            #expect(client.request("POST", "/_simulator/\(path)", body, headers: "")?.json == ["ok": true])
        }
        tell("faults", #"{"fault":"html_504","contains":"s:1"}"#)
        #expect(client.submit("s:1")?.status == 504)
        tell("faults/random", #"{"seed":7,"per_mille":1000,"faults":["text_429"]}"#)
        #expect(client.submit("s:2")?.status == 429)
        #expect(client.request("DELETE", "/_simulator/faults")?.status == 200)
        tell("scripts", #"{"client_order_id":"s:3","initial_status":"filled"}"#)
        #expect(client.submit("s:3")?.json?["status"] == "filled")
        tell("visibility", #"{"hidden_for_ms":60000}"#)
        #expect(client.submit("s:4")?.status == 200)
        #expect(client.request("GET", "/v2/orders:by_client_order_id?client_order_id=s:4")?.status == 404)
        tell("market", #"{"open":false}"#)
        #expect(client.submit("s:5")?.json?["status"] == "accepted")
        tell("prices", #"{"symbol":"KO","price":"61.5"}"#)
        tell("halts", #"{"symbol":"KO","halted":true}"#)
        #expect(client.submit("s:6")?.status == 422)
        await simulator.stop()
    }

    @Test("is refused when it makes no sense", arguments: [("faults", "{\"fault\":\"x\"}"), ("market", "{}")])
    func refused(_ path: String, _ body: String) async throws {
        let simulator = try await SimulatedAlpaca.start()
        let client = try RawClient(port: simulator.port)
        #expect(client.request("POST", "/_simulator/\(path)", body)?.status == 422)
        await simulator.stop()
    }
}

@Suite("A simulator in this process")
struct InProcessTests {
    @Test("says clearly that its port is taken")
    func portInUse() async throws {
        let simulator = try await SimulatedAlpaca.start()
        await #expect {
            try await SimulatedAlpaca.start(port: simulator.port)
        } throws: { error in
            "\(error)" == "cannot listen on 127.0.0.1:\(simulator.port): Address already in use"
        }
        await simulator.stop()
    }

    @Test("frees its port and breaks its connections off when it stops")
    func stops() async throws {
        let simulator = try await SimulatedAlpaca.start()
        let client = try RawClient(port: simulator.port)
        #expect(client.submit("s:1")?.status == 200)
        await simulator.stop()
        #expect(client.rest() == [])
        let next = try await SimulatedAlpaca.start(port: simulator.port)
        #expect(try RawClient(port: next.port).submit("s:1")?.status == 200)
        await next.stop()
    }

    @Test("closes connections when told, and serves new ones")
    func closesConnections() async throws {
        let simulator = try await SimulatedAlpaca.start()
        let idle = try RawClient(port: simulator.port)
        #expect(idle.submit("s:1")?.status == 200)
        let other = try RawClient(port: simulator.port)
        #expect(other.request("DELETE", "/_simulator/connections")?.status == 200)
        #expect(idle.rest() == [])
        #expect(idle.end == .closed)
        #expect(other.submit("s:2")?.status == 200)
        await simulator.closeConnections()
        #expect(other.rest() == [])
        await simulator.stop()
    }

    @Test("serves many connections at once, and counts every order")
    func concurrent() async throws {
        let simulator = try await SimulatedAlpaca.start()
        let port = simulator.port
        try await withThrowingTaskGroup(of: Void.self) { group in
            for connection in 0..<8 {
                group.addTask {
                    let client = try RawClient(port: port)
                    for number in 0..<50 { #expect(client.submit("c\(connection):\(number)")?.status == 200) }
                }
            }
            try await group.waitForAll()
        }
        #expect(
            await simulator.summary()
                == ReceivedSummary(posts: 400, distinctClientOrderIDs: 400, duplicates: 0, recorded: 400))
        await simulator.stop()
    }
}
