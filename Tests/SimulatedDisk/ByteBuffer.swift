import Glibc

/// Bytes in one piece of memory, which grows by doubling.
final class ByteBuffer {
    private(set) var start = UnsafeMutableRawPointer.allocate(byteCount: 65_536, alignment: 16)
    private var capacity = 65_536
    private(set) var count = 0

    deinit { start.deallocate() }

    var array: [UInt8] { Array(UnsafeRawBufferPointer(start: start, count: count)) }

    /// Cuts, or grows with zeros.
    func resize(to newCount: Int) {
        if newCount > count {
            reserve(newCount)
            memset(start + count, 0, newCount - count)
        }
        count = newCount
    }

    func append(_ source: UnsafeRawPointer, count added: Int) {
        reserve(count + added)
        memcpy(start + count, source, added)
        count += added
    }

    private func reserve(_ needed: Int) {
        guard needed > capacity else { return }
        capacity = max(needed, capacity * 2)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        memcpy(larger, start, count)
        start.deallocate()
        start = larger
    }
}
