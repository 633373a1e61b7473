import HostSystem

/// The broker in a process of its own, so that what it uses is known.
package final class BrokerProcess {
    package let port: UInt16
    private let process: ChildProcess

    /// - Parameters:
    ///   - program: This program, which has a command for it.
    ///   - delayMilliseconds: How long it thinks about an order.
    package init(program: String, delayMilliseconds: Int) throws {
        process = try ChildProcess(program, ["broker", "--delay-ms", "\(delayMilliseconds)"])
        guard let line = try process.readLine(milliseconds: 10_000), line.hasPrefix("ready port="),
            let port = UInt16(line.dropFirst("ready port=".count))
        else { throw BenchmarkFailure("the broker did not get ready") }
        self.port = port
    }

    deinit { process.send(.kill) }

    package var url: String { "http://127.0.0.1:\(port)" }

    /// In nanoseconds.
    package func processorTime() throws -> Int64 { try ProcessUsage.processorTime(of: process.id) }

    /// Every order it was sent so far, in their order.
    package func arrivals() throws -> [BrokerArrival] {
        let lines = String(decoding: try BrokerClient(port: port).exchange("GET", "/benchmark/arrivals"), as: UTF8.self)
        return try lines.split(separator: "\n").map { line in
            guard let arrival = BrokerArrival(line: line) else { throw BenchmarkFailure("the broker logged \(line)") }
            return arrival
        }
    }

    package func stop() { process.stop() }
}
