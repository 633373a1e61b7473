/// A fault on demand, and for which requests.
package struct FaultRule: Sendable {
    package var fault: Fault
    /// How many requests it strikes; nil for all.
    package var timesLeft: Int?
    /// The exact client order id.
    package var clientOrderID: String?
    /// A part of the client order id.
    package var contains: String?
    package var symbol: String?
    package var method: FaultMethod
    /// How the path begins, percent-decoded.
    package var path: String
    package var milliseconds: Int64

    package init(
        _ fault: Fault, times: Int? = 1, clientOrderID: String? = nil, contains: String? = nil, symbol: String? = nil,
        method: FaultMethod = .post, path: String = FaultTarget.orders, milliseconds: Int64? = nil
    ) {
        self.fault = fault
        timesLeft = times
        self.clientOrderID = clientOrderID
        self.contains = contains
        self.symbol = symbol
        self.method = method
        self.path = path
        self.milliseconds = milliseconds ?? fault.defaultMilliseconds
    }

    func strikes(_ target: FaultTarget) -> Bool {
        timesLeft != 0 && method == target.method && target.path.hasPrefix(path)
            && (clientOrderID == nil || clientOrderID == target.clientOrderID)
            && (contains.map { target.clientOrderID?.contains($0) ?? false } ?? true)
            && (symbol == nil || symbol == target.symbol)
            && (!fault.needsReusedConnection || target.isOnReusedConnection)
    }
}

/// Faults that strike at random, the same ones whenever the seed and the order of the requests are the same.
package struct RandomFaults: Sendable {
    package var seed: UInt64
    /// Of a thousand requests.
    package var perMille: Int
    package var faults: [Fault]
    package var methods: Set<FaultMethod>
    /// For delays; nil takes each fault's own.
    package var milliseconds: Int64?

    package init(
        seed: UInt64, perMille: Int, faults: [Fault] = Fault.allCases, methods: Set<FaultMethod> = [.post],
        milliseconds: Int64? = nil
    ) {
        self.seed = seed
        self.perMille = perMille
        self.faults = faults
        self.methods = methods
        self.milliseconds = milliseconds
    }
}

/// What is known of a request when its fault is chosen.
package struct FaultTarget {
    /// Where orders are; faults that name no other path strike here.
    package static let orders = "/v2/orders"

    let method: FaultMethod
    let path: String
    let clientOrderID: String?
    let symbol: String?
    let isOnReusedConnection: Bool
}

/// A fault that strikes one request.
struct ChosenFault: Equatable, Sendable {
    let fault: Fault
    let milliseconds: Int64
}

/// Which fault strikes which request: rules first, in the order in which they were made, then chance.
struct FaultPlan: Sendable {
    private(set) var rules: [FaultRule] = []
    var random: RandomFaults?
    private var drawn: UInt64 = 0

    mutating func add(_ rule: FaultRule) {
        rules.append(rule)
    }

    mutating func clear() {
        rules = []
        random = nil
    }

    mutating func choose(for target: FaultTarget) -> ChosenFault? {
        if let found = rules.firstIndex(where: { $0.strikes(target) }) {
            let rule = rules[found]
            if let left = rule.timesLeft {
                rules[found].timesLeft = left - 1
                if left == 1 { rules.remove(at: found) }
            }
            return ChosenFault(fault: rule.fault, milliseconds: rule.milliseconds)
        }
        guard let random, random.methods.contains(target.method), target.path.hasPrefix(FaultTarget.orders) else {
            return nil
        }
        drawn += 1
        // A stream of its own for every request: one more draw for one request changes no other.
        var numbers = SeededRandom(seed: random.seed &+ drawn &* 0x9e37_79b9)
        let faults = random.faults.filter { !$0.needsReusedConnection || target.isOnReusedConnection }
        guard !faults.isEmpty, numbers.number(in: 0...999) < random.perMille else { return nil }
        let fault = faults[Int(numbers.number(in: 0...Int64(faults.count - 1)))]
        return ChosenFault(fault: fault, milliseconds: random.milliseconds ?? fault.defaultMilliseconds)
    }
}
