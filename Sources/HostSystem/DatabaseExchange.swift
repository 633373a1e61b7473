import Glibc
package import TradingCore

/// How another database takes the place of `trades.db`: it is made ready under a temporary name, and gets the name
/// `trades.db.next-TIME`. From then on it is the database of this directory: whoever locks the directory next, a worker
/// too, first finishes the exchange. The former one is kept as `trades.db.before-TIME`.
extension StateDirectory {
    /// What SQLite calls a database and the files beside it.
    static let databaseSuffixes = ["", "-journal", "-wal", "-shm"]
    private static let nextPrefix = "trades.db.next-"
    private static let formerPrefix = "trades.db.before-"

    /// A database that is being made ready.
    /// - Parameter time: Makes the names of this exchange, and of no other.
    package func nextDatabase(at time: Timestamp) throws(SystemError) -> UnfinishedFile {
        let digits = time.text.filter { $0 != "-" && $0 != ":" }
        let next = try UnfinishedFile(
            "\(path)/\(StateDirectory.nextPrefix)\(digits)", temporaryName: ".trades.db.next.part")
        try next.giveToOwner(of: path)
        return next
    }

    /// Puts the database that is ready in its place, where there is one.
    /// - Returns: Where the former one is now; nil where there was none, or nothing was ready.
    @discardableResult
    package func finishExchange(passing: (CopyPoint) -> Void = { _ in }) throws(SystemError) -> String? {
        var former: String?
        for name in try Files.names(in: path) where name.hasPrefix(StateDirectory.nextPrefix) {
            let place = StateDirectory.databasePath(in: path)
            let aside = "\(path)/\(StateDirectory.formerPrefix)\(name.dropFirst(StateDirectory.nextPrefix.count))"
            // What is left of the former database is moved, however far this came before. Its log must not be found
            // beside the next one, which SQLite would take it to be of.
            for suffix in StateDirectory.databaseSuffixes where rename(place + suffix, aside + suffix) != 0 {
                guard errno == ENOENT else { throw SystemError("moving \(place + suffix) aside") }
                continue
            }
            try Files.syncDirectory(of: place)
            if try Files.exists(aside) { former = aside }
            passing(.formerMoved)
            guard rename("\(path)/\(name)", place) == 0 else { throw SystemError("putting \(name) in its place") }
            try Files.syncDirectory(of: place)
            passing(.nextInPlace)
        }
        return former
    }

    /// Removes a database that an exchange has moved aside, with the files beside it.
    package func removeFormer(_ former: String) throws(SystemError) {
        precondition(former.hasPrefix("\(path)/\(StateDirectory.formerPrefix)"), "only what was moved aside is removed")
        for suffix in StateDirectory.databaseSuffixes { _ = try Files.remove(former + suffix) }
        try Files.syncDirectory(of: former)
    }

    /// A database that is needed while another is made, and is discarded then.
    package func workingDatabase() throws(SystemError) -> UnfinishedFile {
        try UnfinishedFile("\(path)/trades.db.working", temporaryName: ".trades.db.working.part")
    }

    /// Which process has the database open, where one has: exchanged under its hands, it would delete the log of the one
    /// that comes after.
    ///
    /// Every connection to a database with a log holds a lock on this byte of its `-shm` file.
    /// Source: SQLite, "WAL-mode File Format", section 2.3.1 (the lock bytes are 120 to 127) and `WAL_DMS`, wal.c/os_unix.c.
    package func processWithOpenDatabase() throws(SystemError) -> Int32? {
        let shared = StateDirectory.databasePath(in: path) + "-shm"
        let descriptor = open(shared, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemError("opening \(shared)")
        }
        defer { close(descriptor) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 128
        lock.l_len = 1
        guard fcntl(descriptor, F_GETLK, &lock) == 0 else { throw SystemError("looking at the locks of \(shared)") }
        return lock.l_type == Int16(F_UNLCK) ? nil : lock.l_pid
    }
}
