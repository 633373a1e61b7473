import Glibc

/// One file: what programs read of it, and which of that the disk may still lose.
///
/// `content` is what is read, as a kernel's cache would show it. Every change since the last sync is recorded with the
/// bytes that it replaced, so that a sync only forgets the record, and a power failure can go back and take the changes
/// again, or not, one by one.
final class DiskFile {
    /// What a disk writes whole or not at all, in bytes.
    static let sectorSize = 512
    /// What a kernel's cache writes back at once, in bytes.
    static let pageSize = 4096

    private let content = ByteBuffer()
    /// Whether a power failure leaves the file's name in the directory.
    private(set) var hasDurableName = false

    /// A write, or a new size when `isResize`.
    private struct Change {
        var isResize = false
        var offset: Int
        /// How many bytes it replaced; they are in `replaced`, from `place` on.
        var length: Int
        var sizeBefore: Int
        var place: Int
    }

    /// What was done since the last sync, in order.
    private var changes: [Change] = []
    private let replaced = ByteBuffer()
    /// What the disk holds of pages whose writing back failed, by number of the page. The cache shows something newer
    /// and does not try again before the page is written once more.
    private var stale: [Int: [UInt8]] = [:]

    init() {}

    /// A file that is wholly on the disk.
    init(durable bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { content.append(start, count: bytes.count) }
        }
        hasDurableName = true
    }

    var size: Int { content.count }
    var bytes: [UInt8] { content.array }

    // MARK: What a program does

    /// Reads as much as there is, and zeros after it.
    /// - Returns: Whether all was there.
    func read(into target: UnsafeMutableRawPointer, count: Int, at offset: Int) -> Bool {
        let there = max(0, min(count, size - offset))
        if there > 0 { memcpy(target, content.start + offset, there) }
        if there < count { memset(target + there, 0, count - there) }
        return there == count
    }

    func write(_ source: UnsafeRawPointer, count: Int, at offset: Int) {
        takeUpStalePages(of: offset..<offset + count)
        let sizeBefore = size
        if offset + count > sizeBefore { content.resize(to: offset + count) }
        record(Change(offset: offset, length: count, sizeBefore: sizeBefore, place: replaced.count))
        memcpy(content.start + offset, source, count)
    }

    func resize(to newSize: Int) {
        let cut = max(0, size - newSize)
        record(
            Change(isResize: true, offset: newSize, length: cut, sizeBefore: size, place: replaced.count))
        content.resize(to: newSize)
    }

    /// All that was done is on the disk.
    func sync() {
        forgetChanges()
        hasDurableName = true
    }

    /// Some of what was done reached the disk, and the rest never will unless it is written again: after a failed
    /// fsync, Linux takes the pages for clean, and the next fsync succeeds.
    func failSync(using random: inout SeededRandom) {
        let cached = bytes
        settleChanges(using: &random)
        content.resize(to: cached.count)
        cached.withUnsafeBytes { cached in
            for start in stride(from: 0, to: cached.count, by: DiskFile.pageSize) {
                let end = min(start + DiskFile.pageSize, cached.count)
                let newer = UnsafeRawBufferPointer(rebasing: cached[start..<end])
                let onDisk = UnsafeMutableRawBufferPointer(start: content.start + start, count: end - start)
                guard let source = newer.baseAddress, memcmp(source, content.start + start, end - start) != 0
                else { continue }
                stale[start / DiskFile.pageSize] = Array(onDisk)
                onDisk.copyMemory(from: newer)
            }
        }
    }

    /// Each change since the last sync is kept or lost, and a kept write perhaps torn; all else stays.
    func losePower(using random: inout SeededRandom) {
        settleChanges(using: &random)
        for (page, bytes) in stale {
            let start = page * DiskFile.pageSize
            let count = min(bytes.count, size - start)
            guard count > 0 else { continue }
            bytes.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { memcpy(content.start + start, source, count) }
            }
        }
        stale = [:]
        hasDurableName = true
    }

    // MARK: Changes

    /// Must come before the bytes are replaced.
    private func record(_ change: Change) {
        replaced.append(content.start + change.offset, count: change.length)
        changes.append(change)
    }

    private func forgetChanges() {
        changes.removeAll(keepingCapacity: true)
        replaced.resize(to: 0)
    }

    /// Pages that are written again will be written back again, and whole.
    private func takeUpStalePages(of range: Range<Int>) {
        guard !stale.isEmpty, !range.isEmpty else { return }
        for page in range.lowerBound / DiskFile.pageSize...(range.upperBound - 1) / DiskFile.pageSize {
            guard let onDisk = stale.removeValue(forKey: page) else { continue }
            let start = page * DiskFile.pageSize
            let count = min(onDisk.count, size - start)
            guard count > 0 else { continue }
            changes.append(Change(offset: start, length: count, sizeBefore: size, place: replaced.count))
            onDisk.withUnsafeBytes { onDisk in
                if let source = onDisk.baseAddress { replaced.append(source, count: count) }
            }
        }
    }

    /// Leaves in `content` what the disk holds if it stops now.
    private func settleChanges(using random: inout SeededRandom) {
        for change in changes.reversed() {
            // What stood before changes places with what was written, which may be wanted again.
            content.resize(to: max(size, change.offset + change.length))
            swap(change)
            content.resize(to: change.sizeBefore)
        }
        // A disk that had written nearly everything and one that had written next to nothing are both likely.
        let keptOfEight = random.next() % 9
        for change in changes {
            let isKept = random.next() % 8 < keptOfEight
            guard isKept else { continue }
            if change.isResize {
                content.resize(to: change.offset)
            } else {
                takeAgain(change, isTorn: random.next() % 4 == 0, using: &random)
            }
        }
        forgetChanges()
    }

    private func swap(_ change: Change) {
        withUnsafeTemporaryAllocation(byteCount: change.length, alignment: 16) { scratch in
            guard let scratch = scratch.baseAddress else { return }
            memcpy(scratch, content.start + change.offset, change.length)
            memcpy(content.start + change.offset, replaced.start + change.place, change.length)
            memcpy(replaced.start + change.place, scratch, change.length)
        }
    }

    private func takeAgain(_ change: Change, isTorn: Bool, using random: inout SeededRandom) {
        var start = change.offset
        let end = change.offset + change.length
        while start < end {
            let next = isTorn ? min(end, (start / DiskFile.sectorSize + 1) * DiskFile.sectorSize) : end
            if !isTorn || random.next() % 2 == 0 {
                if next > size { content.resize(to: next) }
                memcpy(content.start + start, replaced.start + change.place + (start - change.offset), next - start)
            }
            start = next
        }
    }
}
