import GRDBSQLite

/// A log that SQLite has open: an ordinary file, and what is to be written to it next.
final class GatheringFile {
    /// The file as the ordinary file system has it.
    let ordinary: UnsafeMutablePointer<sqlite3_file>

    /// What is to be written: the first `count` bytes, in one piece that begins at `start` in the file.
    private let gathered = UnsafeMutableRawPointer.allocate(byteCount: gatheredMax, alignment: 16)
    private var count = 0
    private var start: Int64 = 0

    /// What is more is handed over in pieces of this size. SQLite's file system for Unix fails at a piece of 128 KiB or
    /// more (its `seekAndWriteFd` takes the size modulo 128 KiB, and a rest of zero for a full disk).
    private static let gatheredMax = 64 << 10

    /// - Parameter size: How much memory the ordinary file system wants for an open file, in bytes.
    init(sizeOfOrdinary size: Int) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        ordinary = memory.assumingMemoryBound(to: sqlite3_file.self)
    }

    deinit {
        UnsafeMutableRawPointer(ordinary).deallocate()
        gathered.deallocate()
    }

    // MARK: What SQLite asks for

    func write(_ bytes: UnsafeRawPointer, count added: Int, at offset: Int64) -> Int32 {
        if offset != start + Int64(count) || count + added > GatheringFile.gatheredMax {
            let code = handOver()
            guard code == SQLITE_OK else { return code }
            guard added <= GatheringFile.gatheredMax else {
                return ordinary.pointee.pMethods.pointee.xWrite(ordinary, bytes, Int32(added), offset)
            }
            start = offset
        }
        (gathered + count).copyMemory(from: bytes, byteCount: added)
        count += added
        return SQLITE_OK
    }

    /// Writes what is gathered. Where that fails it is forgotten, as SQLite forgets a transaction of which a write failed.
    func handOver() -> Int32 {
        guard count > 0 else { return SQLITE_OK }
        defer { count = 0 }
        return ordinary.pointee.pMethods.pointee.xWrite(ordinary, gathered, Int32(count), start)
    }

    /// Does something with the ordinary file, once everything that is gathered has been written.
    private func withOrdinary(
        _ body: (UnsafeMutablePointer<sqlite3_file>, sqlite3_io_methods) -> Int32
    ) -> Int32 {
        let code = handOver()
        guard code == SQLITE_OK else { return code }
        return body(ordinary, ordinary.pointee.pMethods.pointee)
    }

    // MARK: In SQLite's memory

    /// How much memory SQLite must set aside for an open file, in bytes.
    static let size = place + MemoryLayout<UnsafeRawPointer>.size
    private static let place = MemoryLayout<sqlite3_file>.stride

    func put(into memory: UnsafeMutablePointer<sqlite3_file>) {
        UnsafeMutableRawPointer(memory).storeBytes(
            of: Unmanaged.passRetained(self).toOpaque(), toByteOffset: GatheringFile.place,
            as: UnsafeMutableRawPointer.self)
        memory.pointee.pMethods = GatheringFile.methods
    }

    private static func reference(_ memory: UnsafeMutablePointer<sqlite3_file>?) -> Unmanaged<GatheringFile> {
        guard let memory else { preconditionFailure("SQLite passes the file that it means") }
        return Unmanaged.fromOpaque(
            UnsafeRawPointer(memory).load(fromByteOffset: GatheringFile.place, as: UnsafeMutableRawPointer.self))
    }

    private static func at(_ memory: UnsafeMutablePointer<sqlite3_file>?) -> GatheringFile {
        reference(memory).takeUnretainedValue()
    }

    /// Version 1 of SQLite's methods: a log has no shared memory of its own, and is not mapped.
    nonisolated(unsafe) private static let methods: UnsafePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: sqlite3_io_methods())
        methods.pointee.iVersion = 1
        methods.pointee.xWrite = { file, source, count, offset in
            guard let source else { preconditionFailure("SQLite passes what it writes") }
            return at(file).write(source, count: Int(count), at: offset)
        }
        methods.pointee.xSync = { file, flags in at(file).withOrdinary { $1.xSync($0, flags) } }
        methods.pointee.xRead = { file, target, count, offset in
            at(file).withOrdinary { $1.xRead($0, target, count, offset) }
        }
        methods.pointee.xTruncate = { file, size in at(file).withOrdinary { $1.xTruncate($0, size) } }
        methods.pointee.xFileSize = { file, answer in at(file).withOrdinary { $1.xFileSize($0, answer) } }
        methods.pointee.xClose = { memory in
            let file = reference(memory).takeRetainedValue()
            let written = file.handOver()
            let closed = file.ordinary.pointee.pMethods.pointee.xClose(file.ordinary)
            return written == SQLITE_OK ? closed : written
        }
        methods.pointee.xLock = { file, level in at(file).withOrdinary { $1.xLock($0, level) } }
        methods.pointee.xUnlock = { file, level in at(file).withOrdinary { $1.xUnlock($0, level) } }
        methods.pointee.xCheckReservedLock = { file, answer in
            at(file).withOrdinary { $1.xCheckReservedLock($0, answer) }
        }
        methods.pointee.xFileControl = { file, operation, argument in
            at(file).withOrdinary { $1.xFileControl($0, operation, argument) }
        }
        methods.pointee.xSectorSize = { file in
            let ordinary = at(file).ordinary
            return ordinary.pointee.pMethods.pointee.xSectorSize(ordinary)
        }
        methods.pointee.xDeviceCharacteristics = { file in
            let ordinary = at(file).ordinary
            return ordinary.pointee.pMethods.pointee.xDeviceCharacteristics(ordinary)
        }
        return UnsafePointer(methods)
    }()
}
