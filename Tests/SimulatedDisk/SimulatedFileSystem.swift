import GRDBSQLite
import Glibc

/// The file system (SQLite: VFS) that takes every path under `/simulated/` to its disk, and everything else to the
/// file system that was SQLite's default before. It is the default itself, for GRDB opens a database by its path alone.
enum SimulatedFileSystem {
    /// Makes it the default of the whole program, once and for all.
    static func install() { _ = ordinary }

    /// The file system that takes what is not ours.
    nonisolated(unsafe) private static let ordinary: UnsafeMutablePointer<sqlite3_vfs> = {
        guard let ordinary = sqlite3_vfs_find(nil) else { preconditionFailure("SQLite has a file system") }
        let ours = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        // What is not named below stays as it is: sleeping, loading libraries, the last error.
        ours.initialize(to: ordinary.pointee)
        ours.pointee.pNext = nil
        ours.pointee.zName = UnsafePointer(strdup("simulated"))
        ours.pointee.szOsFile = max(ordinary.pointee.szOsFile, Int32(FileHandle.size))
        ours.pointee.xOpen = { _, path, file, flags, flagsOut in open(path, file, flags, flagsOut) }
        ours.pointee.xDelete = { _, path, isDurable in delete(path, isDurable) }
        ours.pointee.xAccess = { _, path, flags, answer in access(path, flags, answer) }
        ours.pointee.xFullPathname = { _, path, size, answer in fullPath(path, size, answer) }
        ours.pointee.xRandomness = { _, count, target in randomBytes(count, target) }
        ours.pointee.xCurrentTimeInt64 = { _, answer in time(answer) }
        let code = sqlite3_vfs_register(ours, 1)
        precondition(code == SQLITE_OK, "SQLite takes a file system")
        return ordinary
    }()

    /// SQLite asks for random bytes only once, and makes all others from them, until it is told to begin anew.
    static func forgetRandomNumbers() { sqlite3_randomness(0, nil) }

    // MARK: What concerns a path

    private static func open(
        _ path: UnsafePointer<CChar>?, _ memory: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
        _ flagsOut: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let simulated = SimulatedPath(path) else {
            return ordinary.pointee.xOpen(ordinary, path, memory, flags, flagsOut)
        }
        // Without methods, SQLite does not close what could not be opened.
        memory?.pointee.pMethods = nil
        guard let memory, let disk = DiskRegistry.shared.disk(simulated.disk),
            let handle = disk.open(simulated.file, in: simulated.process ?? disk.livingProcess, flags: flags)
        else { return SQLITE_CANTOPEN }
        handle.put(into: memory)
        let asOpened = handle.isReadOnly ? flags & ~SQLITE_OPEN_READWRITE | SQLITE_OPEN_READONLY : flags
        flagsOut?.pointee = asOpened
        return SQLITE_OK
    }

    private static func delete(_ path: UnsafePointer<CChar>?, _ isDurable: Int32) -> Int32 {
        guard let simulated = SimulatedPath(path) else {
            return ordinary.pointee.xDelete(ordinary, path, isDurable)
        }
        guard let disk = DiskRegistry.shared.disk(simulated.disk) else { return Answer.deletionFailed }
        return disk.delete(
            simulated.file, in: simulated.process ?? disk.livingProcess, isDurable: isDurable != 0)
    }

    private static func access(
        _ path: UnsafePointer<CChar>?, _ flags: Int32, _ answer: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let simulated = SimulatedPath(path) else {
            return ordinary.pointee.xAccess(ordinary, path, flags, answer)
        }
        guard let disk = DiskRegistry.shared.disk(simulated.disk),
            let isThere = disk.hasFile(simulated.file, in: simulated.process ?? disk.livingProcess)
        else { return Answer.accessFailed }
        answer?.pointee = isThere ? 1 : 0
        return SQLITE_OK
    }

    private static func fullPath(
        _ path: UnsafePointer<CChar>?, _ size: Int32, _ answer: UnsafeMutablePointer<CChar>?
    ) -> Int32 {
        guard let simulated = SimulatedPath(path) else {
            return ordinary.pointee.xFullPathname(ordinary, path, size, answer)
        }
        guard let answer, let disk = DiskRegistry.shared.disk(simulated.disk) else { return SQLITE_CANTOPEN }
        let full = SimulatedPath(
            disk: simulated.disk, process: simulated.process ?? disk.livingProcess, file: simulated.file)
        let text = full.text.utf8CString
        guard text.count <= Int(size) else { return SQLITE_CANTOPEN }
        text.withUnsafeBufferPointer { text in
            if let start = text.baseAddress { answer.update(from: start, count: text.count) }
        }
        return SQLITE_OK
    }

    // MARK: What concerns none

    private static func randomBytes(_ count: Int32, _ target: UnsafeMutablePointer<CChar>?) -> Int32 {
        let buffer = UnsafeMutableRawBufferPointer(start: target, count: Int(count))
        guard RepeatableSources.shared.fillWithRandomBytes(buffer) else {
            return ordinary.pointee.xRandomness(ordinary, count, target)
        }
        return count
    }

    private static func time(_ answer: UnsafeMutablePointer<Int64>?) -> Int32 {
        guard let time = RepeatableSources.shared.julianTime else {
            return ordinary.pointee.xCurrentTimeInt64(ordinary, answer)
        }
        answer?.pointee = time
        return SQLITE_OK
    }
}
