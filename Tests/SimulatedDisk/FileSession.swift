import GRDBSQLite
import Glibc

/// What the connections of one process share about a file, and a new process does not find: its locks, and the
/// index of a write-ahead log, which SQLite keeps in shared memory.
final class FileSession {
    // MARK: Locks of the file

    /// The highest lock that anybody holds: `SQLITE_LOCK_NONE`, `_SHARED`, `_RESERVED`, `_PENDING` or `_EXCLUSIVE`.
    private var level = SQLITE_LOCK_NONE
    /// How many handles hold at least `SQLITE_LOCK_SHARED`.
    private var holders = 0

    /// Raises a handle's lock, by the rules that SQLite lays down for all its file systems.
    /// - Returns: False when others are in the way. Who wanted the file alone then keeps new readers out.
    func lock(_ handle: FileHandle, _ wanted: Int32) -> Bool {
        guard handle.lockLevel < wanted else { return true }
        let othersHoldMore = level != handle.lockLevel
        if othersHoldMore && (level >= SQLITE_LOCK_PENDING || wanted > SQLITE_LOCK_SHARED) { return false }
        switch wanted {
        case SQLITE_LOCK_SHARED:
            holders += 1
            level = max(level, SQLITE_LOCK_SHARED)
            handle.lockLevel = SQLITE_LOCK_SHARED
            return true
        case SQLITE_LOCK_EXCLUSIVE where holders > 1:
            level = SQLITE_LOCK_PENDING
            handle.lockLevel = SQLITE_LOCK_PENDING
            return false
        default:
            level = wanted
            handle.lockLevel = wanted
            return true
        }
    }

    /// Lowers a handle's lock to `SQLITE_LOCK_SHARED` or `SQLITE_LOCK_NONE`.
    func unlock(_ handle: FileHandle, to wanted: Int32) {
        guard handle.lockLevel > wanted else { return }
        // Only one handle can hold more than a shared lock, so what the others hold is that.
        if handle.lockLevel > SQLITE_LOCK_SHARED { level = SQLITE_LOCK_SHARED }
        if wanted == SQLITE_LOCK_NONE {
            holders -= 1
            if holders == 0 { level = SQLITE_LOCK_NONE }
        }
        handle.lockLevel = wanted
    }

    var isReserved: Bool { level > SQLITE_LOCK_SHARED }

    // MARK: Shared memory

    private var regions: [UnsafeMutableRawPointer] = []
    private var mapperCount = 0
    /// For each of the eight locks, how many handles hold it with others; -1 where one holds it alone.
    private var sharers = [Int](repeating: 0, count: Int(SQLITE_SHM_NLOCK))

    deinit { freeRegions() }

    private func freeRegions() {
        for region in regions { region.deallocate() }
        regions = []
    }

    /// The memory of a region, numbered from 0; all of one size, in bytes.
    /// - Returns: Nil when it does not exist and is not to be made.
    func map(_ handle: FileHandle, region: Int, size: Int, isToBeMade: Bool) -> UnsafeMutableRawPointer? {
        if !handle.isMapped {
            handle.isMapped = true
            mapperCount += 1
        }
        guard region < regions.count || isToBeMade else { return nil }
        while regions.count <= region {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            memset(memory, 0, size)
            regions.append(memory)
        }
        return regions[region]
    }

    /// Shared memory goes with the last who uses it.
    func unmap(_ handle: FileHandle) {
        guard handle.isMapped else { return }
        unlockShared(handle, mask: handle.sharedMask)
        unlockExclusive(handle, mask: handle.exclusiveMask)
        handle.isMapped = false
        mapperCount -= 1
        if mapperCount == 0 { freeRegions() }
    }

    /// Takes locks of the shared memory, all or none.
    func lockShared(_ handle: FileHandle, mask: UInt8) -> Bool {
        let missing = mask & ~handle.sharedMask
        guard places(missing).allSatisfy({ sharers[$0] >= 0 }) else { return false }
        for place in places(missing) { sharers[place] += 1 }
        handle.sharedMask |= missing
        return true
    }

    /// Takes locks of the shared memory alone, all or none.
    func lockExclusive(_ handle: FileHandle, mask: UInt8) -> Bool {
        let missing = mask & ~handle.exclusiveMask
        guard places(missing).allSatisfy({ sharers[$0] == 0 }) else { return false }
        for place in places(missing) { sharers[place] = -1 }
        handle.exclusiveMask |= missing
        return true
    }

    func unlockShared(_ handle: FileHandle, mask: UInt8) {
        let held = mask & handle.sharedMask
        for place in places(held) { sharers[place] -= 1 }
        handle.sharedMask &= ~held
    }

    func unlockExclusive(_ handle: FileHandle, mask: UInt8) {
        let held = mask & handle.exclusiveMask
        for place in places(held) { sharers[place] = 0 }
        handle.exclusiveMask &= ~held
    }

    private func places(_ mask: UInt8) -> some Sequence<Int> {
        (0..<sharers.count).lazy.filter { mask >> UInt8($0) & 1 == 1 }
    }
}
