import GRDBSQLite

/// A file that a connection has open. SQLite keeps it in the memory that follows its own `sqlite3_file`.
final class FileHandle {
    let disk: SimulatedDisk
    let file: DiskFile
    let session: FileSession
    /// The process that opened it; see `SimulatedDisk.process`.
    let process: Int
    let isReadOnly: Bool

    /// The lock that it holds of the file: `SQLITE_LOCK_NONE` and up.
    var lockLevel = SQLITE_LOCK_NONE
    var isMapped = false
    /// The locks that it holds of the shared memory, one bit each.
    var sharedMask: UInt8 = 0
    var exclusiveMask: UInt8 = 0

    init(disk: SimulatedDisk, file: DiskFile, session: FileSession, process: Int, isReadOnly: Bool) {
        self.disk = disk
        self.file = file
        self.session = session
        self.process = process
        self.isReadOnly = isReadOnly
    }

    // MARK: In SQLite's memory

    /// How much memory SQLite must set aside for an open file, in bytes.
    static let size = place + MemoryLayout<UnsafeRawPointer>.size
    private static let place = MemoryLayout<sqlite3_file>.stride

    func put(into memory: UnsafeMutablePointer<sqlite3_file>) {
        let reference = Unmanaged.passRetained(self).toOpaque()
        UnsafeMutableRawPointer(memory).storeBytes(
            of: reference, toByteOffset: FileHandle.place, as: UnsafeMutableRawPointer.self)
        memory.pointee.pMethods = FileMethods.all
    }

    static func at(_ memory: UnsafeMutablePointer<sqlite3_file>?) -> FileHandle {
        reference(memory).takeUnretainedValue()
    }

    /// Takes it out again; to be called once.
    static func take(_ memory: UnsafeMutablePointer<sqlite3_file>?) -> FileHandle {
        reference(memory).takeRetainedValue()
    }

    private static func reference(_ memory: UnsafeMutablePointer<sqlite3_file>?) -> Unmanaged<FileHandle> {
        guard let memory else { preconditionFailure("SQLite passes the file that it means") }
        return Unmanaged.fromOpaque(
            UnsafeRawPointer(memory).load(fromByteOffset: FileHandle.place, as: UnsafeMutableRawPointer.self))
    }
}
