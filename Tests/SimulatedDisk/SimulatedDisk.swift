import Foundation
import GRDBSQLite

/// A disk that exists in memory only, for databases that SQLite opens under `/simulated/<name>/`, and the processes
/// that use it one after the other.
///
/// It behaves as the files of SQLite's own file system for Unix do on Linux: what is written is at once what is read;
/// a sync makes it last; a process that dies takes its locks and its shared memory with it, and a power failure some of
/// what was not synced. A connection that was open when its process died is dead: whatever is still done with it, and be
/// it closed, fails with `SQLITE_IOERR` and changes nothing.
///
/// The same seed and the same calls give the same bytes. But SQLite makes up some itself: the salts in its write-ahead
/// log, `randomblob()`, the time of `'now'`. Its sources of them serve the whole program, and so they are left alone,
/// unless a program wants them to repeat (`repeatWhatSQLiteMakesUp`). Always left alone are sleeping, for which a
/// connection that waits for a lock asks, and temporary files.
///
/// May be used from any thread. It exists as long as somebody holds it, an open connection included.
package final class SimulatedDisk: @unchecked Sendable {
    /// What calls of the living meet.
    package enum Condition: Sendable {
        case working
        /// Every write finds no room, in the midst of a file too, as where files are copied on write. For a disk that
        /// only refuses to grow, see `capacity`.
        case full
        /// As after Linux remounted it: files that are open cannot be written (`SQLITE_IOERR`), and those opened now
        /// are open for reading (`SQLITE_READONLY`).
        case readOnly
        /// Reading works; writing, cutting and deleting answer `SQLITE_IOERR`.
        case failingWrites
        /// Writing works, syncing answers `SQLITE_IOERR`. Of what a failed sync was to make last, some did reach the
        /// disk; the rest no later sync will bring there, only writing it again. Linux does so.
        case failingSyncs
        /// Reading answers `SQLITE_IOERR`.
        case failingReads
    }

    /// How a process ends.
    package enum Death: Sendable {
        /// The process is killed: what was written stays.
        case kill
        /// The machine loses power: of the changes since the last sync of a file, each is kept or lost at random; a
        /// write that is kept may be torn at a sector of 512 bytes.
        case powerFailure
    }

    package let name: String
    /// The path of the database, `/simulated/<name>/trades.db`.
    package var databasePath: String { "\(SimulatedPath.root)\(name)/trades.db" }

    // Under the lock, all that follows. Nothing is called under it that could come back here.
    private let lock = NSLock()
    private var random: SeededRandom
    private var currentCondition = Condition.working
    private var currentCapacity: Int?
    private var doesHonourSyncs = true
    private var counts = Counts()
    private var scheduled: (death: Death, operations: Int)?

    /// The process that lives, by number; every death begins the next.
    private var process = 0
    private var files: [String: DiskFile] = [:]
    /// Files that were deleted, but may come back after a power failure since their directory was not synced.
    private var deleted: [String: DiskFile] = [:]
    private var sessions: [String: FileSession] = [:]

    private struct Counts {
        var writes = 0
        var syncs = 0
        var bytesWritten = 0
    }

    /// - Parameters:
    ///   - name: What it is called in paths: letters, digits and such. No other disk that exists may be called so.
    ///   - seed: Decides what power failures and failing syncs take.
    package init(name: String, seed: UInt64) {
        precondition(!name.isEmpty && !name.contains("/"), "the name is one part of a path")
        self.name = name
        random = SeededRandom(seed: seed)
        SimulatedFileSystem.install()
        DiskRegistry.shared.add(self)
    }

    // MARK: What happens to it

    package var condition: Condition {
        get { lock.withLock { currentCondition } }
        set { lock.withLock { currentCondition = newValue } }
    }

    /// How much all files may hold together, in bytes; nil for any amount. A write that does not fit ends where the
    /// room ends and answers `SQLITE_FULL`; what is there already can be written over.
    package var capacity: Int? {
        get { lock.withLock { currentCapacity } }
        set { lock.withLock { currentCapacity = newValue } }
    }

    /// Whether syncs make anything last. Without, it is the disk that lies, or a `PRAGMA synchronous = OFF`, and a test
    /// that must notice can prove that it does. Every change is then remembered, for as long as the disk exists.
    package var honoursSyncs: Bool {
        get { lock.withLock { doesHonourSyncs } }
        set { lock.withLock { doesHonourSyncs = newValue } }
    }

    /// The process is killed. The next to open the database is a new process.
    package func killProcess() {
        lock.withLock { end(by: .kill) }
    }

    /// The machine loses power, and comes back. The next to open the database is a new process.
    package func losePower() {
        lock.withLock { end(by: .powerFailure) }
    }

    /// Lets the process die in the midst of something, instead of one of its next operations, which are the writes,
    /// cuts, syncs and deletions. To the code that runs on, the operation and all after it fail.
    /// - Parameter count: How many operations it still completes.
    package func schedule(_ death: Death, afterOperations count: Int) {
        lock.withLock { scheduled = (death, count) }
    }

    /// How many processes have died. Grows when a scheduled death has come.
    package var deathCount: Int { lock.withLock { process } }

    private func end(by death: Death) {
        process += 1
        scheduled = nil
        sessions = [:]
        guard death == .powerFailure else { return }
        for name in deleted.keys.sorted() where files[name] == nil {
            if random.next() % 2 == 0 { files[name] = deleted[name] }
        }
        deleted = [:]
        for (name, file) in files.sorted(by: { $0.key < $1.key }) {
            let keepsName = file.hasDurableName || random.next() % 2 == 0
            if keepsName { file.losePower(using: &random) } else { files[name] = nil }
        }
    }

    // MARK: What can be seen of it

    /// How many writes have been carried out.
    package var writeCount: Int { lock.withLock { counts.writes } }
    /// How many bytes they wrote.
    package var bytesWritten: Int { lock.withLock { counts.bytesWritten } }
    /// How many syncs have been answered with success.
    package var syncCount: Int { lock.withLock { counts.syncs } }
    /// How much all files hold now, in bytes.
    package var size: Int { lock.withLock { sizeOfFiles } }

    private var sizeOfFiles: Int { files.values.reduce(0) { $0 + $1.size } }

    /// What a program would read; nil where there is no such file.
    /// - Parameter file: Its name, for instance `trades.db-wal`.
    package func content(of file: String) -> [UInt8]? {
        lock.withLock { files[file]?.bytes }
    }

    // MARK: Backups

    /// The files of a disk at one moment, by name.
    package struct Snapshot: Sendable, Equatable {
        package var files: [String: [UInt8]]

        package init(files: [String: [UInt8]]) { self.files = files }
    }

    package func snapshot() -> Snapshot {
        lock.withLock { Snapshot(files: files.mapValues(\.bytes)) }
    }

    /// The process ends, and the disk holds these files and no others, wholly synced.
    package func restore(_ snapshot: Snapshot) {
        lock.withLock {
            end(by: .kill)
            deleted = [:]
            files = snapshot.files.mapValues(DiskFile.init(durable:))
        }
    }

    // MARK: Its directory

    /// The number of the process that lives.
    var livingProcess: Int { lock.withLock { process } }

    /// Opens a file for a process.
    /// - Returns: Nil when it cannot be opened (`SQLITE_CANTOPEN`).
    func open(_ name: String, in opener: Int, flags: Int32) -> FileHandle? {
        lock.withLock {
            guard opener == process else { return nil }
            let canWrite = flags & SQLITE_OPEN_READWRITE != 0 && currentCondition != .readOnly
            let file: DiskFile
            if let existing = files[name] {
                guard flags & SQLITE_OPEN_EXCLUSIVE == 0 else { return nil }
                file = existing
            } else {
                let canMake = canWrite && currentCondition != .failingWrites
                guard flags & SQLITE_OPEN_CREATE != 0, canMake else { return nil }
                file = DiskFile()
                files[name] = file
            }
            let session = sessions[name] ?? FileSession()
            sessions[name] = session
            return FileHandle(disk: self, file: file, session: session, process: process, isReadOnly: !canWrite)
        }
    }

    /// Deletes a file.
    /// - Parameter isDurable: Whether the deletion is synced.
    func delete(_ name: String, in caller: Int, isDurable: Bool) -> Int32 {
        lock.withLock {
            guard admitsOperation(of: caller), canChange else { return Answer.deletionFailed }
            guard let file = files.removeValue(forKey: name) else { return Answer.nothingToDelete }
            sessions[name] = nil
            deleted[name] = file
            if isDurable && doesHonourSyncs { deleted = [:] }
            return SQLITE_OK
        }
    }

    /// Whether there is a file, and something in it. SQLite's file system for Unix sees it so.
    /// - Returns: Nil to the dead.
    func hasFile(_ name: String, in caller: Int) -> Bool? {
        lock.withLock {
            guard caller == process else { return nil }
            return (files[name]?.size ?? 0) > 0
        }
    }

    // MARK: Its files

    func read(_ handle: FileHandle, into target: UnsafeMutableRawPointer, count: Int, at offset: Int) -> Int32 {
        lock.withLock {
            guard handle.process == process, currentCondition != .failingReads else { return Answer.readingFailed }
            return handle.file.read(into: target, count: count, at: offset) ? SQLITE_OK : Answer.shortRead
        }
    }

    func write(_ handle: FileHandle, _ source: UnsafeRawPointer, count: Int, at offset: Int) -> Int32 {
        lock.withLock {
            guard admitsOperation(of: handle.process), canChange, !handle.isReadOnly else {
                return Answer.writingFailed
            }
            guard currentCondition != .full else { return SQLITE_FULL }
            let fitting = fittingCount(count, at: offset, of: handle.file)
            if fitting > 0 {
                handle.file.write(source, count: fitting, at: offset)
                counts.writes += 1
                counts.bytesWritten += fitting
            }
            return fitting == count ? SQLITE_OK : SQLITE_FULL
        }
    }

    /// How many bytes of a write there is room for.
    private func fittingCount(_ count: Int, at offset: Int, of file: DiskFile) -> Int {
        guard let currentCapacity else { return count }
        let growth = max(0, offset + count - file.size)
        let room = max(0, currentCapacity - sizeOfFiles)
        return growth <= room ? count : max(0, count - (growth - room))
    }

    func resize(_ handle: FileHandle, to size: Int) -> Int32 {
        lock.withLock {
            guard admitsOperation(of: handle.process), canChange, !handle.isReadOnly else {
                return Answer.cuttingFailed
            }
            handle.file.resize(to: size)
            return SQLITE_OK
        }
    }

    func sync(_ handle: FileHandle) -> Int32 {
        lock.withLock {
            guard admitsOperation(of: handle.process) else { return Answer.syncingFailed }
            guard currentCondition != .failingSyncs else {
                handle.file.failSync(using: &random)
                return Answer.syncingFailed
            }
            counts.syncs += 1
            guard doesHonourSyncs else { return SQLITE_OK }
            // The first sync of a file includes its directory, in SQLite's file system for Unix as in ext4.
            if !handle.file.hasDurableName { deleted = [:] }
            handle.file.sync()
            return SQLITE_OK
        }
    }

    func size(_ handle: FileHandle) -> Int? {
        lock.withLock { handle.process == process ? handle.file.size : nil }
    }

    private var canChange: Bool { currentCondition != .failingWrites && currentCondition != .readOnly }

    /// Whether a process lives to carry out one more operation. Where its death is scheduled, it comes here.
    private func admitsOperation(of caller: Int) -> Bool {
        guard caller == process else { return false }
        guard let (death, operations) = scheduled else { return true }
        guard operations > 0 else {
            end(by: death)
            return false
        }
        scheduled = (death, operations - 1)
        return true
    }

    // MARK: Its sessions

    /// Runs `body` on what a handle's process shares about the file. The sessions of the dead go on as they were, each
    /// with the dead alone.
    func withSession<Value>(of handle: FileHandle, _ body: (FileSession) -> Value) -> Value {
        lock.withLock { body(handle.session) }
    }

    func isAlive(_ handle: FileHandle) -> Bool {
        lock.withLock { handle.process == process }
    }
}

/// What a disk answers, in SQLite's extended result codes. Swift cannot see its macros.
enum Answer {
    static let readingFailed = SQLITE_IOERR | 1 << 8
    static let shortRead = SQLITE_IOERR | 2 << 8
    static let writingFailed = SQLITE_IOERR | 3 << 8
    static let syncingFailed = SQLITE_IOERR | 4 << 8
    static let cuttingFailed = SQLITE_IOERR | 6 << 8
    static let measuringFailed = SQLITE_IOERR | 7 << 8
    static let deletionFailed = SQLITE_IOERR | 10 << 8
    static let accessFailed = SQLITE_IOERR | 13 << 8
    static let lockingFailed = SQLITE_IOERR | 15 << 8
    static let sharedMemoryFailed = SQLITE_IOERR | 19 << 8
    static let sharedLockFailed = SQLITE_IOERR | 20 << 8
    static let nothingToDelete = SQLITE_IOERR | 23 << 8
}
