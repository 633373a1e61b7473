/// The simulator's own requests, under `/_simulator/`. None asks for credentials. `ControlAnswers` carries them out.
enum ControlRoute: Equatable, Sendable {
    case receivedOrders
    case requests
    case addFault
    case randomFaults
    case clearFaults
    case addScript
    case clearScripts
    case market
    case visibility
    case price
    case halt
    case account
    case closeConnections

    init?(method: String, path: String) {
        switch (method, path) {
        case ("GET", "orders"): self = .receivedOrders
        case ("GET", "requests"): self = .requests
        case ("POST", "faults"): self = .addFault
        case ("POST", "faults/random"): self = .randomFaults
        case ("DELETE", "faults"): self = .clearFaults
        case ("POST", "scripts"): self = .addScript
        case ("DELETE", "scripts"): self = .clearScripts
        case ("POST", "market"): self = .market
        case ("POST", "visibility"): self = .visibility
        case ("POST", "prices"): self = .price
        case ("POST", "halts"): self = .halt
        case ("POST", "account"): self = .account
        case ("DELETE", "connections"): self = .closeConnections
        default: return nil
        }
    }
}
