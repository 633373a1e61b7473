// swift-tools-version: 6.2
import PackageDescription

/// The rules every room of ours is built under. Warnings are errors here, and only here: not in the libraries we use.
let rules: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A library target with the shared rules. Its dependencies are the only rooms it may touch.
func room(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: rules)
}

/// A program.
func program(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: rules)
}

/// The tests of one room.
func tests(_ name: String, _ dependencies: Target.Dependency..., resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: rules)
}

let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")
let sockets: Target.Dependency = .product(name: "FlyingSocks", package: "FlyingFox")
let httpServer: Target.Dependency = .product(name: "FlyingFox", package: "FlyingFox")

/// What is fuzzed, and what must be true of it. It is run over its corpus by tests, and by the fuzz program below.
let fuzzing: Target = .target(
    name: "Fuzzing", dependencies: ["TradeWorker", "AlpacaAPI", "TradingCore", "StrictJSON", logging],
    path: "Tests/Fuzzing", exclude: ["Corpus", "Dictionaries"], swiftSettings: rules)

let package = Package(
    name: "trade-executor",
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // Pure: no clock, no file, no socket.
        room("StrictJSON"),
        room("TradingCore", "StrictJSON"),
        room("AlpacaAPI", "TradingCore", "StrictJSON"),

        // The doors to C, and the one room behind each.
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .systemLibrary(name: "CLinux"),
        // deploy/contract/frames/frames.json as a constant.
        .target(name: "CGoldenFrames"),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        room("ZeroMQMessaging", "CZeroMQ"),
        room("CurlTransport", "CCurl", "AlpacaAPI"),
        room("TradeJournal", "CSQLite", "AlpacaAPI", "TradingCore", "StrictJSON", grdb, sqlite),
        room("TradeRecords", "TradeJournal", "TradingCore", "StrictJSON", grdb),
        room("HostSystem", "CLinux", "TradingCore", "StrictJSON"),
        room("KeyFiles", "HostSystem", "TradingCore", "ZeroMQMessaging"),
        room("DatabaseCopies", "HostSystem", "TradeJournal", "TradingCore", grdb),

        // What became of an order: it can ask the broker, and has no way to place anything.
        room("OrderResolution", "TradingCore", "AlpacaAPI", "StrictJSON", "TradeJournal"),

        // The worker, wired from the rooms above.
        room(
            "TradeWorker", "TradingCore", "AlpacaAPI", "StrictJSON", "TradeJournal", "OrderResolution",
            "ZeroMQMessaging", "CurlTransport", "HostSystem", "KeyFiles", logging),
        room("WorkerClient", "StrictJSON", "ZeroMQMessaging"),
        room("Conformance", "CGoldenFrames", "StrictJSON", "TradingCore", "ZeroMQMessaging", "HostSystem"),
        program(
            "trade-executor", "Conformance", "TradeWorker", "TradingCore", "AlpacaAPI", "StrictJSON", "HostSystem",
            "KeyFiles", "WorkerClient", "DatabaseCopies",
            "TradeRecords", "ZeroMQMessaging", "CurlTransport", logging, arguments),

        // What watches workers, and cannot trade: no room here knows the broker's account or places an order.
        room("Monitoring", "StrictJSON", "TradingCore"),
        room("MonitorStore", "Monitoring", "StrictJSON", "TradingCore", grdb, sqlite),
        // The monitor's page as constants.
        .target(name: "CMonitorPage", exclude: ["page"]),
        program(
            "trade-monitor", "CMonitorPage", "Monitoring", "MonitorStore", "StrictJSON", "TradingCore", "HostSystem",
            "KeyFiles", "WorkerClient", "TradeRecords", "ZeroMQMessaging", httpServer, arguments),

        // The broker to test against.
        room("AlpacaSimulator", "StrictJSON", "TradingCore", "HostSystem", sockets),
        program("alpaca-simulator", "AlpacaSimulator", "TradingCore", arguments),

        .target(
            name: "TestKit",
            dependencies: [
                "HostSystem", "StrictJSON", "WorkerClient", "ZeroMQMessaging", "TradeJournal", "TradingCore",
                "AlpacaAPI", grdb,
            ], path: "Tests/TestKit", swiftSettings: rules),
        .target(
            name: "TradeSimulation",
            dependencies: [
                "SimulatedDisk", "AlpacaSimulator", "AlpacaAPI", "OrderResolution", "StrictJSON", "TradeJournal",
                "TradeWorker", "TradingCore", grdb, logging,
            ], path: "Tests/TradeSimulation", swiftSettings: rules),
        .executableTarget(
            name: "trade-simulation",
            dependencies: ["TradeSimulation", "HostSystem", "StrictJSON", "TradingCore", arguments],
            path: "Tests/trade-simulation",
            swiftSettings: rules),
        tests("TradeSimulationTests", "TradeSimulation"),
        .target(
            name: "SimulatedDisk", dependencies: [sqlite], path: "Tests/SimulatedDisk", swiftSettings: rules),
        tests("StrictJSONTests", "StrictJSON"),
        tests("TradingCoreTests", "TradingCore", "StrictJSON"),
        tests("AlpacaAPITests", "AlpacaAPI", "TradingCore", "StrictJSON", resources: [.copy("Answers")]),
        tests("WorkerClientTests", "WorkerClient"),
        tests("MonitoringTests", "Monitoring", "StrictJSON", "TradingCore"),
        tests("MonitorStoreTests", "MonitorStore", "Monitoring", "StrictJSON", "TradingCore", "TestKit", grdb),
        tests(
            "ConformanceTests", "Conformance", "TestKit", "AlpacaSimulator", "StrictJSON", "HostSystem", "TradingCore",
            "ZeroMQMessaging", "trade-executor"),
        tests(
            "TradeWorkerTests", "TestKit", "TradeWorker", "AlpacaAPI", "AlpacaSimulator", "StrictJSON", "WorkerClient",
            "HostSystem", "TradeJournal", "OrderResolution",
            "TradingCore", "ZeroMQMessaging", "trade-executor", grdb, logging),
        tests("TradeRecordsTests", "TestKit", "TradeRecords", "TradeJournal", "TradingCore", "StrictJSON", grdb),
        tests(
            "CommandTests", "TestKit", "AlpacaAPI", "AlpacaSimulator", "StrictJSON", "HostSystem", "TradingCore",
            "trade-executor"),
        tests(
            "SimulatedDiskTests", "SimulatedDisk", "TestKit", "TradeJournal", "TradingCore", grdb),
        tests("AlpacaSimulatorTests", "AlpacaSimulator", "StrictJSON", "TradingCore"),
        fuzzing,
        tests("FuzzingTests", "Fuzzing"),

        // How fast it is: deploy/bench.sh.
        .target(name: "CTimers", path: "Tests/CTimers"),
        .target(
            name: "Benchmarking",
            dependencies: [
                "CTimers", "HostSystem", "StrictJSON", "TradingCore", "AlpacaAPI", "TradeJournal", "ZeroMQMessaging",
                grdb, histogram,
            ], path: "Tests/Benchmarking", exclude: ["python_worker.py"], swiftSettings: rules),
        .executableTarget(
            name: "trade-benchmark", dependencies: ["Benchmarking", "HostSystem", arguments],
            path: "Tests/trade-benchmark", swiftSettings: rules),
        tests("BenchmarkingTests", "Benchmarking", "TestKit", "TradingCore", grdb),
    ]
)

// The fuzz program of deploy/fuzz.sh, and no more than it needs. It has a build of its own: the fuzzer brings its own
// `main`, and every target is compiled for it.
if Context.environment["TRADE_EXECUTOR_FUZZING"] != nil {
    package.targets = [
        room("StrictJSON"),
        room("TradingCore", "StrictJSON"),
        room("AlpacaAPI", "TradingCore", "StrictJSON"),
        // Of the worker the configuration alone, so that neither the database nor a socket is built.
        .target(
            name: "TradeWorker", dependencies: ["TradingCore", "AlpacaAPI", logging],
            path: "Sources/TradeWorker/Configuration", swiftSettings: rules),
        fuzzing,
        .executableTarget(
            name: "fuzz", dependencies: ["Fuzzing"], path: "Tests/FuzzProgram", swiftSettings: rules),
    ]
}
