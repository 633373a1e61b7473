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
        let status = KernelFields(try kernelText(folder + "/status"))
        func bytes(_ name: String) throws(BenchmarkFailure) -> Int64 { try status.number(name) * 1024 }
        residentBytes = try bytes("VmRSS")
        anonymousBytes = try bytes("RssAnon")
        peakResidentBytes = try bytes("VmHWM")
        // The worker hides itself from other processes of its user, and with it this file; root sees it.
        if let text = try? kernelText(folder + "/io") {
            let fields = KernelFields(text)
            output = Output(
                bytesGiven: try fields.number("wchar"), calls: try fields.number("syscw"),
                bytesToDisk: try fields.number("write_bytes"))
        }
    }

    /// What all threads of a process have used of the processors, in nanoseconds.
    package static func processorTime(of process: Int32) throws(BenchmarkFailure) -> Int64 {
        let folder = "/proc/\(process)/task"
        var sum: Int64 = 0
        for thread in try kernelNames(in: folder) {
            let figures = try kernelText("\(folder)/\(thread)/schedstat").split(separator: " ")
            guard let first = figures.first, let nanoseconds = Int64(first) else {
                throw BenchmarkFailure("\(folder)/\(thread)/schedstat cannot be read")
            }
            sum += nanoseconds
        }
        return sum
    }

    /// The processes that a process has started with its first thread.
    package static func children(of process: Int32) throws(BenchmarkFailure) -> [Int32] {
        try kernelText("/proc/\(process)/task/\(process)/children").split(separator: " ").compactMap { Int32($0) }
    }
}
