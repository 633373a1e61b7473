import CLinux
import Glibc

/// How the process treats its memory.
package enum ProcessMemory {
    /// Keeps up to 16 MiB of freed memory for the next allocation.
    ///
    /// Every commit allocates and frees again. By default glibc hands the freed end of the heap back to the kernel each
    /// time, and gets it again page by page: a fifth of the processor time of a trade.
    package static func keepFreedMemory() {
        // Setting one threshold ends glibc's own adjusting of both, so both are set. Neither call can fail.
        mallopt(M_TRIM_THRESHOLD, 16 << 20)
        mallopt(M_MMAP_THRESHOLD, 4 << 20)
        mallopt(M_TOP_PAD, 256 << 10)
    }
}
