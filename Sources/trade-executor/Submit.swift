import ArgumentParser
import Glibc
import HostSystem
import StrictJSON
import TradingCore
import WorkerClient
import ZeroMQMessaging

struct Submit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sends one decision and prints its acknowledgement.",
        discussion: """
            The decision comes from flags, or, when none of them is given, as JSON from standard input. Without an \
            acknowledgement within 2 s the same bytes are sent again, which is safe. Exit code 0: accepted (with \
            --wait: and all or part of it filled); 1: refused, failed, or no answer in time.

            trade-executor submit --strategy hand --symbol AAPL --side buy --quantity 10 --wait
            trade-executor submit --partition-map partition-map.json --strategy mean-rev --symbol AAPL …
            echo '{"v":1,"decision_id":"d-1",…}' | trade-executor submit
            """)

    @Option(name: [.customLong("strategy")], help: "strategy_name; `hand` unless said.") var strategyName: String?
    @Option(name: [.customLong("id")], help: "decision_id; a new one unless said.") var decisionID: String?
    @Option var symbol: String?
    @Option(help: "buy or sell.") var side: String?
    @Option(help: "A decimal, such as 0.5.") var quantity: String?
    @Option(help: "An amount of dollars in place of a quantity.") var notional: String?
    @Option(help: "market, limit, stop, stop_limit or trailing_stop.") var orderType: String?
    @Option(help: "day, gtc, opg, cls, ioc or fok.") var timeInForce: String?
    @Option var limitPrice: String?
    @Option var stopPrice: String?
    @Option var trailPrice: String?
    @Option var trailPercent: String?
    @Flag var extendedHours = false
    @Option(help: "Milliseconds from acceptance after which it is not sent any more.") var validForMs: Int64?
    @Option(help: "A JSON object that is kept with the decision.") var rationale: String?

    @Flag(help: "Wait for the final outcome and print it too.") var wait = false
    @Option(help: "How many seconds to wait for what is asked.") var timeout = 60

    @OptionGroup var endpoints: EndpointOptions

    func validate() throws {
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout must be from 1 to 86400 seconds") }
    }

    func run() throws {
        let decision = try hasFlags ? decision() : Decision(standardInput())
        do {
            try send(decision)
        } catch let error as ZeroMQError {
            throw Failure("\(error)")
        }
    }

    /// What is sent, and what of it is needed to find its worker and to send it again.
    private struct Decision {
        let body: [UInt8]
        /// Whose it is; nil where that cannot be read.
        let strategy: String?
        /// How to send the same again. A decision with another id is another order.
        let again: String

        init(_ body: [UInt8]) {
            self.body = body
            strategy = (try? JSONValue(parsing: body))?["strategy_name"]?.string
            again = "Send the same bytes again"
        }

        init(_ body: [UInt8], id: String, of strategy: String) {
            self.body = body
            self.strategy = strategy
            again = TerminalText.safe("Send the same again with --id \(id), never with another")
        }
    }

    private func send(_ decision: Decision) throws {
        let clock = SystemClock()
        let end = clock.monotonic() + .seconds(Int64(timeout))
        let context = try ZeroMQContext()
        var (worker, client, ack) = try ask(decision, context)
        // The strategy is moving: the map says where to, a moment later at the latest.
        while try ack["code"] == "wrong_partition" && endpoints.followsMap && clock.monotonic() < end {
            usleep(200_000)
            (worker, client, ack) = try ask(decision, context)
        }
        print(ack.text)
        fflush(nil)
        guard ack["status"] == "accepted" else {
            let why = TerminalText.safe(ack["message"]?.string ?? ack.text)
            guard ack["code"] != "storage_failed" else {
                throw Failure("whether the decision was accepted is not known. \(decision.again): \(why)")
            }
            throw Failure("not accepted: \(why)")
        }
        guard wait else { return }
        guard let final = try finalOutcome(ack, worker, client, decision.body, until: end, clock, context) else {
            throw Failure(
                "accepted, but without a final outcome within \(timeout) s; it is still being worked on: see "
                    + "`trade-executor show \(ack["decision_id"]?.string ?? "ID")`")
        }
        print(final.text)
        guard final["result"] == "success" || final["result"] == "partial" else {
            throw Failure("the decision \(final["result"]?.string ?? "?"): \(reason(of: final))")
        }
    }

    private func ask(_ decision: Decision, _ context: ZeroMQContext) throws -> (Endpoints, IntakeClient, JSONValue) {
        let worker = try endpoints.endpoints(of: decision.strategy)
        let client = try IntakeClient(worker.intake, keys: worker.keys, in: context)
        let patience = min(2, timeout)
        if let ack = try client.ask(decision.body, milliseconds: patience * 1000) { return (worker, client, ack) }
        let unknown = "whether the decision was accepted is not known. \(decision.again)"
        // Now, since whoever ends this with Ctrl-C is told nothing more.
        if timeout > patience {
            StandardError.line(
                "no answer from \(worker.intake) yet, trying on for \(timeout - patience) s. Until there is one, \(unknown)"
            )
        }
        guard let ack = try client.ask(decision.body, milliseconds: (timeout - patience) * 1000) else {
            throw Failure(
                "no answer from \(worker.intake) within \(timeout) s: \(unknown), or see `trade-executor status`; "
                    + worker.advice)
        }
        return (worker, client, ack)
    }

    /// Waits for the end of the decision. The topic tells of it at once; asking again with the same bytes finds it even
    /// if the topic told of it before we listened.
    private func finalOutcome(
        _ ack: JSONValue, _ worker: Endpoints, _ client: IntakeClient, _ body: [UInt8], until end: MonotonicTime,
        _ clock: SystemClock, _ context: ZeroMQContext
    ) throws -> JSONValue? {
        guard let strategy = ack["strategy_name"]?.string else { return nil }
        let topic = try ZeroMQSocket(.subscriber, in: context)
        try topic.setLinger(0)
        try topic.subscribe("outcome|\(strategy)|")
        if let keys = worker.keys { try topic.setKeys(keys) }
        try topic.connect(worker.outcomes)
        var seen: JSONValue? = ack
        while true {
            if let outcome = seen?["outcome"], outcome["final"] == true { return outcome }
            if clock.monotonic() >= end { return nil }
            if try topic.waitUntilReadable(milliseconds: 500) {
                while let frames = try topic.receiveMessage() {
                    guard let body = frames.last?.bytes, let outcome = try? JSONValue(parsing: body) else { continue }
                    if outcome["decision_id"] == ack["decision_id"], outcome["final"] == true { return outcome }
                }
            }
            seen = try client.ask(body, milliseconds: 2000)
        }
    }

    private func reason(of outcome: JSONValue) -> String {
        let reason = outcome["execution"]?["error_message"]?.string ?? outcome["reason"]?.string
        let parts = [reason, outcome["message"]?.string].compactMap(\.self)
        return TerminalText.safe(parts.isEmpty ? "no reason was given" : parts.joined(separator: ", "))
    }

    // MARK: The decision

    private var hasFlags: Bool {
        let options = [
            strategyName, decisionID, symbol, side, quantity, notional, orderType, timeInForce, limitPrice, stopPrice,
            trailPrice, trailPercent, rationale,
        ]
        return options.contains { $0 != nil } || extendedHours || validForMs != nil
    }

    private func decision() -> Decision {
        let (id, strategy) = (decisionID ?? newID(), strategyName ?? "hand")
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("v", 1)
            writer.member("decision_id", id)
            writer.member("strategy_name", strategy)
            let members: [(StaticString, String?)] = [
                ("symbol", symbol), ("side", side), ("quantity", quantity), ("notional", notional),
                ("order_type", orderType), ("time_in_force", timeInForce), ("limit_price", limitPrice),
                ("stop_price", stopPrice), ("trail_price", trailPrice), ("trail_percent", trailPercent),
            ]
            for (name, value) in members {
                if let value { writer.member(name, value) }
            }
            if extendedHours { writer.member("extended_hours", true) }
            if let validForMs { writer.member("valid_for_ms", validForMs) }
            if let rationale {
                writer.key("rationale")
                writer.raw(rationale.utf8)
            }
        }
        return Decision(writer.bytes, id: id, of: strategy)
    }

    /// A name that was not used before: the time, and a random number for those of the same microsecond.
    private func newID() -> String {
        "\(SystemClock().now().text.filter { $0.isNumber })-\(UInt16.random(in: .min ... .max))"
    }

    private func standardInput() throws -> [UInt8] {
        if isatty(STDIN_FILENO) == 1 {
            throw ValidationError(
                "say what to trade: --symbol AAPL --side buy --quantity 10, or JSON on standard input")
        }
        var body: [UInt8]
        do {
            body = try Files.read("/dev/stdin", bytesMax: 1 << 20)
        } catch {
            throw Failure("\(error)")
        }
        while let last = body.last, last == 0x0A || last == 0x0D || last == 0x20 { body.removeLast() }
        guard !body.isEmpty else {
            throw Failure("standard input is empty: nothing was sent; give it a decision as JSON")
        }
        return body
    }
}
