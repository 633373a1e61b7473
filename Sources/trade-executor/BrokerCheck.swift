import AlpacaAPI
import CurlTransport
import StrictJSON
import TradeWorker

/// Asks the broker without being able to place anything: only the line for questions is used.
struct BrokerCheck {
    private let transport: HTTPTransport
    private let line: LookUpLine

    init(_ configuration: Configuration) throws {
        transport = try HTTPTransport(configuration.brokerAccess)
        line = try transport.openLookUpLine()
    }

    func get(_ path: String) throws -> HTTPExchangeResult {
        try line.start(path: path)
        while true {
            try transport.perform()
            if let result = line.takeResult() { return result }
            try transport.wait(for: [], milliseconds: 1000)
        }
    }

    static func body(of result: HTTPExchangeResult) -> JSONValue? {
        guard case .answered(let answer) = result else { return nil }
        return try? JSONValue(parsing: answer.body)
    }

    /// What is wrong when the broker did not answer with 200, and what to do.
    static func problem(_ result: HTTPExchangeResult, _ url: BrokerURL) -> String? {
        switch result {
        case .notSent(let reason), .lost(let reason, _):
            return "\(url) cannot be reached: \(reason); \(advice(reason, url))"
        case .answered(let answer):
            switch answer.statusCode {
            case 200: return nil
            case 401:
                return "HTTP 401: \(url) does not know these keys; check APCA_API_KEY_ID and APCA_API_SECRET_KEY, "
                    + "and that keys of a paper account go with \(BrokerURL.paper)"
            case 403:
                return "HTTP 403: \(url) refuses these keys; keys of a paper account go with \(BrokerURL.paper), "
                    + "those of a live one with https://api.alpaca.markets, and new keys may be needed"
            case 404:
                return "HTTP 404: \(url) has no account to show; --broker-url is not Alpaca's trading address, "
                    + "which is \(BrokerURL.paper) or https://api.alpaca.markets"
            case 429: return "HTTP 429: the account's allowance of requests is used up; try again in a minute"
            case 500...: return "HTTP \(answer.statusCode): Alpaca is in trouble; see https://status.alpaca.markets"
            default: return "HTTP \(answer.statusCode): no answer that Alpaca is known for; check --broker-url"
            }
        }
    }

    /// libcurl tells what failed in words only.
    private static func advice(_ reason: String, _ url: BrokerURL) -> String {
        let words = reason.lowercased()
        if ["ssl", "tls", "certificate"].contains(where: words.contains) {
            return "the connection is not safe: check the machine's CA certificates and clock, and whether a proxy "
                + "breaks TLS open"
        }
        if words.contains("resolve") { return "check the name in --broker-url, and this machine's DNS" }
        if words.contains("timeout") { return "check the network, a firewall, and the broker_… time-outs" }
        if url.isLoopback { return "is the simulator running, and is this its port?" }
        return "check the network and any firewall"
    }
}
