import GRDBSQLite

/// What SQLite calls for a file that is open, each a step from C into `SimulatedDisk`.
enum FileMethods {
    /// Version 2 of SQLite's methods: with shared memory, which a write-ahead log needs, and without mapped files.
    nonisolated(unsafe) static let all: UnsafePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: sqlite3_io_methods())
        methods.pointee.iVersion = 2
        setFiles(&methods.pointee)
        setLocks(&methods.pointee)
        setSharedMemory(&methods.pointee)
        setDevice(&methods.pointee)
        return UnsafePointer(methods)
    }()

    private static func setFiles(_ methods: inout sqlite3_io_methods) {
        methods.xClose = { file in
            let handle = FileHandle.take(file)
            handle.disk.withSession(of: handle) { session in
                session.unmap(handle)
                session.unlock(handle, to: SQLITE_LOCK_NONE)
            }
            return SQLITE_OK
        }
        methods.xRead = { file, target, count, offset in
            guard let target else { return Answer.readingFailed }
            let handle = FileHandle.at(file)
            return handle.disk.read(handle, into: target, count: Int(count), at: Int(offset))
        }
        methods.xWrite = { file, source, count, offset in
            guard let source else { return Answer.writingFailed }
            let handle = FileHandle.at(file)
            return handle.disk.write(handle, source, count: Int(count), at: Int(offset))
        }
        methods.xTruncate = { file, size in
            let handle = FileHandle.at(file)
            return handle.disk.resize(handle, to: Int(size))
        }
        methods.xSync = { file, _ in
            let handle = FileHandle.at(file)
            return handle.disk.sync(handle)
        }
        methods.xFileSize = { file, answer in
            let handle = FileHandle.at(file)
            guard let size = handle.disk.size(handle) else { return Answer.measuringFailed }
            answer?.pointee = Int64(size)
            return SQLITE_OK
        }
    }

    private static func setLocks(_ methods: inout sqlite3_io_methods) {
        methods.xLock = { file, level in
            let handle = FileHandle.at(file)
            guard handle.disk.isAlive(handle) else { return Answer.lockingFailed }
            return handle.disk.withSession(of: handle) { $0.lock(handle, level) ? SQLITE_OK : SQLITE_BUSY }
        }
        methods.xUnlock = { file, level in
            let handle = FileHandle.at(file)
            handle.disk.withSession(of: handle) { $0.unlock(handle, to: level) }
            return SQLITE_OK
        }
        methods.xCheckReservedLock = { file, answer in
            let handle = FileHandle.at(file)
            answer?.pointee = handle.disk.withSession(of: handle) { $0.isReserved ? 1 : 0 }
            return SQLITE_OK
        }
    }

    private static func setSharedMemory(_ methods: inout sqlite3_io_methods) {
        methods.xShmMap = { file, region, size, isToBeMade, answer in
            let handle = FileHandle.at(file)
            guard handle.disk.isAlive(handle) else { return Answer.sharedMemoryFailed }
            answer?.pointee = handle.disk.withSession(of: handle) {
                $0.map(handle, region: Int(region), size: Int(size), isToBeMade: isToBeMade != 0)
            }
            return SQLITE_OK
        }
        methods.xShmLock = { file, first, count, flags in
            let handle = FileHandle.at(file)
            let mask = UInt8(truncatingIfNeeded: (1 << count - 1) << first)
            let isShared = flags & SQLITE_SHM_SHARED != 0
            let isUnlock = flags & SQLITE_SHM_UNLOCK != 0
            guard isUnlock || handle.disk.isAlive(handle) else { return Answer.sharedLockFailed }
            return handle.disk.withSession(of: handle) { session in
                switch (isUnlock, isShared) {
                case (true, true): session.unlockShared(handle, mask: mask)
                case (true, false): session.unlockExclusive(handle, mask: mask)
                case (false, true): return session.lockShared(handle, mask: mask) ? SQLITE_OK : SQLITE_BUSY
                case (false, false): return session.lockExclusive(handle, mask: mask) ? SQLITE_OK : SQLITE_BUSY
                }
                return SQLITE_OK
            }
        }
        methods.xShmBarrier = { file in
            // Taking a lock and letting it go orders what is read and written around it.
            let handle = FileHandle.at(file)
            handle.disk.withSession(of: handle) { _ in }
        }
        methods.xShmUnmap = { file, _ in
            let handle = FileHandle.at(file)
            handle.disk.withSession(of: handle) { $0.unmap(handle) }
            return SQLITE_OK
        }
    }

    private static func setDevice(_ methods: inout sqlite3_io_methods) {
        methods.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
        // As SQLite's file system for Unix says, so that what is written here is what is written in earnest.
        methods.xSectorSize = { _ in Int32(DiskFile.pageSize) }
        methods.xDeviceCharacteristics = { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE }
    }
}
