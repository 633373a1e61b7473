import Glibc

/// What it was measured on.
package struct Machine: Sendable {
    /// As the processor calls itself.
    package let processor: String
    package let processors: Int
    package let memoryBytes: Int64
    package let kernel: String

    package static func this() throws(BenchmarkFailure) -> Machine {
        let model = try kernelText("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        let release = try kernelText("/proc/sys/kernel/osrelease")
        return Machine(
            processor: model?.split(separator: ":").last.map { String($0.drop { $0 == " " }) } ?? "unknown processor",
            processors: sysconf(Int32(_SC_NPROCESSORS_ONLN)),
            memoryBytes: try KernelFields(kernelText("/proc/meminfo")).number("MemTotal") * 1024,
            kernel: String(release.prefix { $0 != "\n" }))
    }

    package var text: String {
        "\(processors) x \(processor), \(Figure.text(Double(memoryBytes) / 1_073_741_824)) GiB, Linux \(kernel)"
    }
}

/// How long the machine's processors have worked since it began.
struct MachineUsage {
    /// All processors together, in nanoseconds; counted in hundredths of a second.
    let busyTime: Int64

    static func now() throws(BenchmarkFailure) -> MachineUsage {
        // cpu user nice system idle iowait irq softirq steal ...
        let figures = try kernelText("/proc/stat").prefix { $0 != "\n" }.split(separator: " ").dropFirst()
        let ticks = figures.compactMap { Int64($0) }
        guard ticks.count >= 8 else { throw BenchmarkFailure("/proc/stat cannot be read") }
        let busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]
        return MachineUsage(busyTime: busy * 10_000_000)
    }
}
