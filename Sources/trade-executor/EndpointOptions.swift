import ArgumentParser
import TradeWorker

/// Where a worker is spoken to.
struct EndpointOptions: ParsableArguments {
    @Option(help: SettingsOptions.help(.intake)) var intake: String?
    @Option(help: SettingsOptions.help(.outcomes)) var outcomes: String?
    @Option(help: "A file of lines `name = value`, as for `run`. [TRADE_EXECUTOR_CONFIG]") var config: String?

    func endpoints() throws -> (intake: String, outcomes: String) {
        let layers = try SettingLayers(config: config, refusesOpenSecrets: false)
        let flags: [Setting: String] = [.intake: intake, .outcomes: outcomes].compactMapValues { $0 }
        do {
            let place = try WorkerPlace(flags: flags, environment: layers.environment, file: layers.file)
            return (try place.intake(), try place.outcomes())
        } catch {
            throw Failure("\(error)")
        }
    }
}
