import CLinux
import Glibc

/// How the process treats its memory.
package enum ProcessMemory {
    /// Keeps up to 16 MiB of freed memory for the next allocation.
    ///
    /// Every commit allocates and frees again. By default glibc hands the freed end of the heap back to the kernel each
    /// time, and gets it again page by page: a fifth of the processor time of a trade.
    package static func keepFreedMemory() {
        // Setting one threshold ends glibc's own adjusting of both, so both are set. None of the calls can fail.
        mallopt(M_TRIM_THRESHOLD, 16 << 20)
        mallopt(M_MMAP_THRESHOLD, 4 << 20)
        mallopt(M_TOP_PAD, 256 << 10)
    }

    /// Gives back all that is free, also what lies between what is in use. Nobody can get any meanwhile, which may be a
    /// tenth of a second.
    static func giveBackFreed() { malloc_trim(0) }

    /// Gives back the pages of programs and libraries that have been run so far. What runs again is taken from the file
    /// again, which is in memory already; what only a start needs, more than half, stays away.
    ///
    /// Only code is given back, which nobody writes: of data the written pages would be lost. Where the kernel does not
    /// tell what is where, or keeps it, it stays.
    package static func giveBackCode() {
        guard let maps = try? Files.read("/proc/self/maps", bytesMax: 1 << 20) else { return }
        for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: true)
            guard parts.count >= 6, parts[1] == "r-xp", parts[5].hasPrefix("/") else { continue }
            let range = parts[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
            guard range.count == 2, let start = UnsafeMutableRawPointer(bitPattern: range[0]) else { continue }
            madvise(start, Int(range[1] - range[0]), MADV_DONTNEED)
        }
    }
}
