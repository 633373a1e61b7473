import ArgumentParser
import HostSystem
import StrictJSON
import TradeWorker
import TradingCore

struct Partitions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows which worker serves which strategy, by the partition map.",
        discussion: """
            The map is one JSON file for all workers (`run --partition-map`) and clients:

            {"v":1,"epoch":12,"default":"p0","strategies":{"mean-rev":"p0"},
            "partitions":{"p0":{"intake":"tcp://10.0.0.5:5555",
            "outcomes":"tcp://10.0.0.5:5556"}}}

            Strategies that are not named go to the `default`, or are refused where there is none. Each edit has a \
            higher epoch than the one before; workers read it by themselves, and `status` tells which epoch they have. \
            An edit moves no data: a strategy that trades goes to another worker with `partitions move`.
            """,
        subcommands: [PartitionsCheck.self, PartitionsFind.self, PartitionsList.self, PartitionsMove.self])
}

/// Which map is meant.
struct PartitionMapOptions: ParsableArguments {
    @Option(help: SettingsOptions.help(.partitionMap)) var partitionMap: String?
    @Option(help: "A file of lines `name = value`, as for `run`. [TRADE_EXECUTOR_CONFIG]") var config: String?
    @Flag(help: "One JSON object a line.") var json = false

    func path() throws -> String {
        let layers = try SettingLayers(config: config, refusesOpenSecrets: false)
        guard let path = layers.text(.partitionMap, flag: partitionMap) else {
            throw Failure("there is no partition map; say --partition-map FILE")
        }
        return path
    }

    /// What the map says now, and its path.
    func read() throws -> PartitionMap { try PartitionMapOptions.read(try path()) }

    static func read(_ path: String) throws -> PartitionMap {
        do {
            return try PartitionMapFile.watch(path).meaning
        } catch {
            throw Failure("\(error)")
        }
    }
}

struct PartitionsCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks a partition map, as workers do when they read it.",
        discussion: """
            Exit 1 when no worker would take it: broken JSON, a member that is not known, a strategy of a partition that \
            is not there, two partitions at one endpoint, or a file that others can change. Whether its epoch is high \
            enough is for each worker to say: see `partition_map` in its status.
            """)

    @OptionGroup var map: PartitionMapOptions

    func run() throws {
        let path = try map.path()
        let map = try map.read()
        let idle = map.partitionNames.filter { map.strategies(of: $0).isEmpty && map.defaultPartition != $0 }
        try StandardOutput.print { output in
            if self.map.json {
                var writer = JSONWriter()
                writer.object { writer in
                    writer.member("epoch", map.epoch)
                    writer.member("partitions", map.places.count)
                    writer.member("strategies", map.strategies.count)
                    writer.member("default", map.defaultPartition?.text)
                    writer.key("without_strategies")
                    writer.array { writer in
                        for name in idle { writer.string(name.text) }
                    }
                }
                return try output.line(writer.bytes)
            }
            let others = map.defaultPartition.map { "others go to \($0)" } ?? "others are refused"
            try output.line(
                TerminalText.safe(
                    "\(path) is in order: epoch \(map.epoch), \(map.places.count) partitions, "
                        + "\(map.strategies.count) strategies, \(others)"))
            for name in idle { try output.line("note: no strategy belongs to \(name)") }
        }
    }
}

struct PartitionsFind: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract: "Prints the partition of a strategy, and its endpoints.",
        discussion: """
            Exit 1 where it belongs to none.
            """)

    @Argument(help: "The strategy's name.") var strategy: StrategyName
    @OptionGroup var map: PartitionMapOptions

    func run() throws {
        let map = try map.read()
        guard let partition = map.partition(of: strategy), let place = map.places[partition] else {
            throw Failure("\(strategy) is in no partition of the map (epoch \(map.epoch)), which names no default")
        }
        try StandardOutput.print { output in
            guard self.map.json else {
                let byDefault = map.strategies[strategy] == nil ? "  (default)" : ""
                return try output.line("\(partition)  \(place.intake)  \(place.outcomes)\(byDefault)")
            }
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("strategy_name", strategy.text)
                writer.member("partition", partition.text)
                writer.member("named", map.strategies[strategy] != nil)
                place.write(to: &writer)
                writer.member("epoch", map.epoch)
            }
            try output.line(writer.bytes)
        }
    }
}

struct PartitionsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists partitions, their endpoints and their strategies.")

    @OptionGroup var map: PartitionMapOptions

    func run() throws {
        let map = try map.read()
        try StandardOutput.print { output in
            var table = TextTable(
                [.init("partition"), .init("intake"), .init("outcomes"), .init("strategies")], on: output)
            for name in map.partitionNames {
                guard let place = map.places[name] else { continue }
                let isDefault = map.defaultPartition == name
                let strategies = map.strategies(of: name).map(\.text)
                guard self.map.json else {
                    let all = strategies + (isDefault ? ["(default)"] : [])
                    try table.add([name.text, place.intake, place.outcomes, all.joined(separator: ", ")])
                    continue
                }
                var writer = JSONWriter()
                writer.object { writer in
                    writer.member("partition", name.text)
                    place.write(to: &writer)
                    writer.member("default", isDefault)
                    writer.key("strategies")
                    writer.array { writer in
                        for strategy in strategies { writer.string(strategy) }
                    }
                    writer.member("epoch", map.epoch)
                }
                try output.line(writer.bytes)
            }
            _ = try table.finish()
        }
    }
}

extension PartitionMap.Place {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("intake", intake)
        writer.member("outcomes", outcomes)
        writer.member("server_key", serverKey?.text)
    }
}
