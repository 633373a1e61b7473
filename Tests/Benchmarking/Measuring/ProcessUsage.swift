import HostSystem

/// What a process has used since it began.
package struct ProcessUsage: Equatable, Sendable {
    /// Of the processors, all threads that still live, in nanoseconds.
    package var processorTime: Int64
    /// Memory that is its own and is there, in bytes.
    package var residentBytes: Int64
    /// The part of it that no file stands behind.
    package var anonymousBytes: Int64
    /// The most that was ever there.
    package var peakResidentBytes: Int64
    /// What it handed to the kernel to be written; nil where this user may not know.
    package var output: Output?

    package struct Output: Equatable, Sendable {
        /// Bytes given to write calls, to sockets too.
        package var bytesGiven: Int64
        /// Write calls.
        package var calls: Int64
        /// Bytes that were to go to a disk.
        package var bytesToDisk: Int64
    }

    package init(of process: Int32) throws(BenchmarkFailure) {
        let folder = "/proc/\(process)"
        processorTime = try ProcessUsage.processorTime(of: process)
        let status = Fields(try text(folder + "/status"))
        func bytes(_ name: String) throws(BenchmarkFailure) -> Int64 { try status.number(name) * 1024 }
        residentBytes = try bytes("VmRSS")
        anonymousBytes = try bytes("RssAnon")
        peakResidentBytes = try bytes("VmHWM")
        // The worker hides itself from other processes of its user, and with it this file; root sees it.
        if let text = try? text(folder + "/io") {
            let fields = Fields(text)
            output = Output(
                bytesGiven: try fields.number("wchar"), calls: try fields.number("syscw"),
                bytesToDisk: try fields.number("write_bytes"))
        }
    }

    /// What all threads of a process have used of the processors, in nanoseconds.
    package static func processorTime(of process: Int32) throws(BenchmarkFailure) -> Int64 {
        let folder = "/proc/\(process)/task"
        var sum: Int64 = 0
        for thread in try names(in: folder) {
            let figures = try text("\(folder)/\(thread)/schedstat").split(separator: " ")
            guard let first = figures.first, let nanoseconds = Int64(first) else {
                throw BenchmarkFailure("\(folder)/\(thread)/schedstat cannot be read")
            }
            sum += nanoseconds
        }
        return sum
    }

    /// The processes that a process has started with its first thread.
    package static func children(of process: Int32) throws(BenchmarkFailure) -> [Int32] {
        try text("/proc/\(process)/task/\(process)/children").split(separator: " ").compactMap { Int32($0) }
    }
}

/// How long the machine's processors have worked since it began.
struct MachineUsage {
    /// All processors together, in nanoseconds; counted in hundredths of a second.
    let busyTime: Int64

    static func now() throws(BenchmarkFailure) -> MachineUsage {
        // cpu user nice system idle iowait irq softirq steal ...
        let figures = try text("/proc/stat").prefix { $0 != "\n" }.split(separator: " ").dropFirst()
        let ticks = figures.compactMap { Int64($0) }
        guard ticks.count >= 8 else { throw BenchmarkFailure("/proc/stat cannot be read") }
        let busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]
        return MachineUsage(busyTime: busy * 10_000_000)
    }
}

/// Lines `name: number unit`.
private struct Fields {
    private let text: String

    init(_ text: String) { self.text = text }

    func number(_ name: String) throws(BenchmarkFailure) -> Int64 {
        for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
            let words = line.dropFirst(name.count + 1).split { $0 == " " || $0 == "\t" }
            if let word = words.first, let number = Int64(word) { return number }
        }
        throw BenchmarkFailure("the kernel says nothing of \(name)")
    }
}

private func text(_ path: String) throws(BenchmarkFailure) -> String {
    do {
        return String(decoding: try Files.read(path, bytesMax: 1 << 20), as: UTF8.self)
    } catch {
        throw BenchmarkFailure("\(error)")
    }
}

private func names(in path: String) throws(BenchmarkFailure) -> [String] {
    do {
        return try Files.names(in: path)
    } catch {
        throw BenchmarkFailure("\(error)")
    }
}
