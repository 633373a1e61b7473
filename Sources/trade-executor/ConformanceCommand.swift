import ArgumentParser
import Conformance
import HostSystem
import StrictJSON
import TradingCore
import ZeroMQMessaging

struct ConformanceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Tells what passes of the contract: a worker, a bus in front of one, or a client.",
        discussion: """
            Sends the golden frames of deploy/contract/frames and holds each answer against what is owed; then looks at \
            acknowledgements, duplicates, heartbeats, counters, replays and topics. One line for each check; exit 1 if \
            one fails.

            By default it places no order: its decisions are over their deadline, name a symbol that no broker knows, \
            or both. --with-orders adds small limit orders, far from the market and good for the moment only \
            (immediate or cancel). --with-golden-orders adds the golden frames that place orders of every kind, market \
            orders too: for a simulator or a paper account.

            Decisions, outcomes and refused messages stay in the worker's database for ever, under the strategies \
            conformance, conformance-2, golden, golden-2, golden-A-z.0_9… and golden- with the run's own letters. At a \
            guarded worker it takes a key with both roles, and all strategies: `keys allow` with --role trade --role \
            read --strategy '*'.

            --client turns it round: it stands in for a worker at both endpoints, places no orders, and tells what a \
            client does right that connects there. It answers late, twice and with refusals, leaves outcomes out and \
            begins another stream. A publisher should send five decisions, one after the other. What a subscriber \
            handles can be piped in, a JSON object with stream and seq for each outcome:

            my-subscriber | trade-executor conformance --client
            """)

    @Flag(help: "Stand in for a worker, and check the client that comes.") var client = false

    @Flag(help: "Also place limit orders that are not meant to be filled.") var withOrders = false
    @Option(help: "What --with-orders orders.") var symbol = "AAPL"
    @Option(help: "How much of it.") var quantity = "1"
    @Option(help: "At most at this price: far below the market's.") var limitPrice = "1"
    @Flag(help: "Also send the golden frames that place orders. Not for an account with money.")
    var withGoldenOrders = false
    @Option(help: "How many seconds an answer may take; a heartbeat two fifths of it, and never less than 2.")
    var timeout = 5
    @Flag(help: "One JSON object a line.") var json = false
    @OptionGroup var endpoints: EndpointOptions

    func validate() throws {
        if client, withOrders || withGoldenOrders {
            throw ValidationError("--client places no orders: leave out --with-orders and --with-golden-orders")
        }
        guard (1...3600).contains(timeout) else {
            throw ValidationError("--timeout is a number of seconds, from 1 to 3600")
        }
    }

    func run() throws {
        let contact = try endpoints.endpoints()
        do {
            if client {
                try checkClient(
                    try StandIn(intake: contact.intake, outcomes: contact.outcomes, patience: timeout * 1000))
            } else {
                let order = WorkerUnderTest.SampleOrder(symbol: symbol, quantity: quantity, limitPrice: limitPrice)
                try checkWorker(
                    try WorkerUnderTest(
                        intake: contact.intake, outcomes: contact.outcomes, keys: contact.keys,
                        patience: timeout * 1000,
                        sampleOrder: withOrders ? order : nil, placesGoldenOrders: withGoldenOrders), contact)
            }
        } catch let error as ZeroMQError {
            throw Failure("\(error)")
        } catch let error as SystemError {
            throw Failure("\(error)")
        }
    }

    private func checkWorker(_ worker: WorkerUnderTest, _ contact: Endpoints) throws {
        try StandardOutput.print { output in
            var report = ConformanceReport(output, json: json)
            try report.add(WorkerCheck.first.run(worker))
            guard report.failedCount == 0 else {
                throw Failure("nothing can be checked at \(contact.intake); \(contact.advice)")
            }
            for check in WorkerCheck.rest { try report.add(check.run(worker)) }
            try report.end()
        }
    }

    private func checkClient(_ standIn: StandIn) throws {
        let clock = SystemClock()
        let end = clock.monotonic() + .seconds(Self.clientWaitSeconds)
        var lines = StandardInputLines()
        try StandardOutput.print { output in
            var report = ConformanceReport(output, json: json)
            try report.begin(intake: standIn.intake, outcomes: standIn.outcomes)
            while !standIn.isDone {
                for finding in try standIn.turn(printed: try lines.read()) { try report.add(finding) }
                guard standIn.hasBegun || clock.monotonic() < end else {
                    throw Failure(
                        "no client came to \(standIn.intake) or \(standIn.outcomes) in \(Self.clientWaitSeconds) s")
                }
            }
            for finding in standIn.finish() { try report.add(finding) }
            try report.end()
        }
    }

    /// How long a client may take to connect.
    private static let clientWaitSeconds: Int64 = 60
}
