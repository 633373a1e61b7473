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
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    ],
    targets: [
        room("StrictJSON"),
        room("TradingCore", "StrictJSON"),
        room(
            "AlpacaSimulator", "StrictJSON", "TradingCore", .product(name: "FlyingSocks", package: "FlyingFox")),

        .executableTarget(
            name: "alpaca-simulator",
            dependencies: [
                "AlpacaSimulator", "TradingCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: rules),

        tests("StrictJSONTests", "StrictJSON"),
        tests("TradingCoreTests", "TradingCore", "StrictJSON"),
        tests("AlpacaSimulatorTests", "AlpacaSimulator", "StrictJSON", "TradingCore"),
    ]
)
