/// The broker's clock, the cheapest thing to ask it for. Source: Alpaca, "Get Market Clock info".
package enum BrokerClock {
    package static let path = "/v2/clock"
}
