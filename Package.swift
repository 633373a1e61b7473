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

/// The tests of one room.
func tests(_ name: String, _ dependencies: Target.Dependency..., resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: rules)
}

let package = Package(
    name: "trade-executor",
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        room("StrictJSON"),
        room("TradingCore", "StrictJSON"),
        room("AlpacaAPI", "TradingCore", "StrictJSON"),

        // The doors to C, and the one room behind each.
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .systemLibrary(name: "CLinux"),
        room("ZeroMQMessaging", "CZeroMQ"),
        room("CurlTransport", "CCurl", "AlpacaAPI"),
        room(
            "TradeJournal", "AlpacaAPI", "TradingCore", "StrictJSON", .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "GRDBSQLite", package: "GRDB.swift")),
        room("HostSystem", "CLinux", "TradingCore", "StrictJSON"),

        tests("StrictJSONTests", "StrictJSON"),
        tests("TradingCoreTests", "TradingCore", "StrictJSON"),
        tests("AlpacaAPITests", "AlpacaAPI", "TradingCore", "StrictJSON"),
    ]
)
