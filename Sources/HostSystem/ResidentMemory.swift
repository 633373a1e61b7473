import Glibc

/// How much memory this process uses. Asking is one system call.
package final class ResidentMemory {
    private let descriptor: Int32
    private let pageSize = Int64(sysconf(Int32(_SC_PAGESIZE)))

    package init() throws(SystemError) {
        descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("opening /proc/self/statm") }
    }

    deinit { close(descriptor) }

    /// In bytes.
    package func bytes() -> Int64 {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 128) { buffer in
            let count = pread(descriptor, buffer.baseAddress, buffer.count, 0)
            precondition(count > 0, "a process can read about itself")
            // The second number is the resident pages.
            let fields = buffer[..<count].split(separator: UInt8(ascii: " "), maxSplits: 2)
            let pages = fields[1].reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
            return pages * pageSize
        }
    }
}
