import ArgumentParser
import Glibc
import HostSystem

struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows it all: a broker simulator, a worker, three strategies, live outcomes. No account needed.",
        discussion: """
            Starts alpaca-simulator and a worker on free ports and a temporary state directory, lets three sample \
            strategies trade for some twenty seconds, prints every outcome as it comes, and then a summary with the \
            commands to look further. The state directory stays, so that they work.
            """)

    @Flag(help: "Leave the simulator and the worker running afterwards, until Ctrl-C.")
    var keep = false

    @Option(help: "Directory for the worker's state; a new temporary one unless said.")
    var stateDir: String?

    func run() throws {
        let directory = try stateDir ?? ThisProgram.temporaryDirectory("trade-executor-demo")
        do {
            let stage = try DemoStage(stateDirectory: directory)
            defer { stage.close() }
            var play = try DemoPlay(stage)
            try play.perform()
            play.summarise()
            if keep { stage.stayOpen() }
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure("the demo stopped: \(error)")
        }
    }
}
