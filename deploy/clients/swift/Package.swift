// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "trade-executor-client",
    products: [.library(name: "TradeExecutorClient", targets: ["TradeExecutorClient"])],
    targets: [
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"]), .brew(["zeromq"])]),
        .target(name: "TradeExecutorClient", dependencies: ["CZeroMQ"]),
        .executableTarget(name: "publish", dependencies: ["TradeExecutorClient"]),
        .executableTarget(name: "subscribe", dependencies: ["TradeExecutorClient"]),
    ]
)
