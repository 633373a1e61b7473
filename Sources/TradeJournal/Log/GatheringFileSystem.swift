import GRDBSQLite
import Glibc

/// The file system (SQLite: VFS) through which the journal's log is written in one piece for each commit. SQLite itself
/// writes every page of it in two calls, some thirty for a trade.
///
/// What is written, and when it is durable, stays as it is: all of it is handed over before a sync, before it is read, and
/// before anything else is done with the file. Only the log of a database called `trades.db` goes through here; every other
/// file is opened by the file system that was the default before.
///
/// It is for connections that sync their commits (`synchronous=FULL`), which `TradeJournal` proves of its own. One that
/// does not, as that of another database in this process may, would tell other readers of pages that are still here.
enum GatheringFileSystem {
    /// Makes it the default of the whole program, once and for all: GRDB opens a database by its path alone.
    static func install() { _ = ordinary }

    /// The file system that was the default before.
    nonisolated(unsafe) private static let ordinary: UnsafeMutablePointer<sqlite3_vfs> = {
        guard let ordinary = sqlite3_vfs_find(nil) else { preconditionFailure("SQLite has a file system") }
        let ours = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        ours.initialize(to: ordinary.pointee)
        ours.pointee.pNext = nil
        ours.pointee.zName = UnsafePointer(strdup("gathering"))
        ours.pointee.szOsFile = max(ordinary.pointee.szOsFile, Int32(GatheringFile.size))
        ours.pointee.xOpen = { _, path, file, flags, flagsOut in open(path, file, flags, flagsOut) }
        let code = sqlite3_vfs_register(ours, 1)
        precondition(code == SQLITE_OK, "SQLite takes a file system")
        return ordinary
    }()

    private static func open(
        _ path: UnsafePointer<CChar>?, _ memory: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
        _ flagsOut: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard flags & SQLITE_OPEN_WAL != 0, let memory, let path, isJournalLog(path) else {
            return ordinary.pointee.xOpen(ordinary, path, memory, flags, flagsOut)
        }
        let file = GatheringFile(sizeOfOrdinary: Int(ordinary.pointee.szOsFile))
        let code = ordinary.pointee.xOpen(ordinary, path, file.ordinary, flags, flagsOut)
        if code == SQLITE_OK {
            file.put(into: memory)
        } else {
            // Without methods, SQLite does not close what could not be opened.
            memory.pointee.pMethods = nil
        }
        return code
    }

    private static func isJournalLog(_ path: UnsafePointer<CChar>) -> Bool {
        String(cString: path).hasSuffix("/trades.db-wal")
    }
}
