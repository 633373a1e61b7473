/// One way to load a worker.
package struct Scenario: Equatable, Sendable {
    package var name: String
    /// How many decisions count; those for warming up come before.
    package var count: Int
    package var shape: LoadShape
    /// How long the broker thinks about an order.
    package var brokerDelayMilliseconds: Int

    package init(name: String, count: Int, shape: LoadShape, brokerDelayMilliseconds: Int = 0) {
        self.name = name
        self.count = count
        self.shape = shape
        self.brokerDelayMilliseconds = brokerDelayMilliseconds
    }

    /// What a person is told of it.
    package var text: String {
        let load =
            switch shape {
            case .backlog: "all at once"
            case .closedLoop(let window): window == 1 ? "one at a time" : "at most \(window) without an outcome"
            case .openLoop(let perSecond): "\(Figure.text(perSecond)) a second"
            }
        let broker = brokerDelayMilliseconds == 0 ? "instant broker" : "broker thinks \(brokerDelayMilliseconds) ms"
        return "\(name): \(count) decisions, \(load), \(broker)"
    }
}

/// What is the same for all runs that are compared with one another.
package struct RunCondition: Equatable, Sendable {
    /// What the place is called: `disk`, `tmpfs`.
    package var location: String
    /// How many executions the database was seeded with.
    package var seeded: Int
    package var scenario: Scenario

    package init(location: String, seeded: Int, scenario: Scenario) {
        self.location = location
        self.seeded = seeded
        self.scenario = scenario
    }
}
