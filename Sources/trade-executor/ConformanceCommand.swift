import ArgumentParser
import Conformance
import StrictJSON
import ZeroMQMessaging

struct ConformanceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Tells what passes of the contract: a worker, or a bus in front of one.",
        discussion: """
            Sends the golden frames of deploy/contract/frames and holds each answer against what is owed; then looks at \
            acknowledgements, duplicates, heartbeats, counters, replays and topics. One line for each check; exit 1 if \
            one fails.

            By default it places no order: its decisions are over their deadline, and name a symbol that no broker \
            knows. --with-orders adds small limit orders, far from the market and good for the moment only \
            (immediate or cancel). --with-golden-orders adds the golden frames that place orders of every kind, market \
            orders too: for a simulator or a paper account.

            Decisions, outcomes and refused messages stay in the worker's database for ever, under the strategies \
            conformance, conformance-2, golden, golden-2, golden-A-z.0_9… and golden- with the run's own letters.
            """)

    @Flag(help: "Also place limit orders that are not meant to be filled.") var withOrders = false
    @Option(help: "What --with-orders orders.") var symbol = "AAPL"
    @Option(help: "How much of it.") var quantity = "1"
    @Option(help: "At most at this price: far below the market's.") var limitPrice = "1"
    @Flag(help: "Also send the golden frames that place orders. Not for an account with money.")
    var withGoldenOrders = false
    @Option(help: "How many seconds an answer may take.") var timeout = 5
    @Flag(help: "One JSON object a line.") var json = false
    @OptionGroup var endpoints: EndpointOptions

    func validate() throws {
        if timeout < 1 { throw ValidationError("--timeout is a number of seconds from 1") }
    }

    func run() throws {
        let (intake, outcomes) = try endpoints.endpoints()
        let worker: WorkerUnderTest
        do {
            worker = try WorkerUnderTest(
                intake: intake, outcomes: outcomes, patience: timeout * 1000,
                sampleOrder: withOrders
                    ? WorkerUnderTest.SampleOrder(symbol: symbol, quantity: quantity, limitPrice: limitPrice) : nil,
                placesGoldenOrders: withGoldenOrders)
        } catch {
            throw Failure("\(error)")
        }
        try StandardOutput.print { output in
            var tally = ConformanceTally()
            func report(_ check: WorkerCheck) throws {
                let finding = check.run(worker)
                tally.count(finding)
                try output.line(json ? ConformanceText.json(finding) : ConformanceText.line(finding))
                try output.flush()
            }
            try report(WorkerCheck.first)
            guard tally.failed == 0 else {
                throw Failure("nothing can be checked at \(intake): is a worker running there, and not halted?")
            }
            for check in WorkerCheck.rest { try report(check) }
            if !json { try output.line(tally.text) }
            guard tally.failed == 0 else { throw Failure("\(tally.failed) of \(tally.all) checks failed; see above") }
        }
    }
}
