import GRDB
import Glibc
import HostSystem

/// What a disk does for a trade.
package enum DiskFloor {
    /// - Parameters:
    ///   - directory: Where to measure; files made there are removed again.
    ///   - seconds: How long each piece is measured.
    package static func measure(
        in directory: String, called location: String, seconds: Double
    ) throws -> [FloorPiece] {
        try Files.makeDirectory(directory)
        return [
            try synchronising(directory, location, seconds), try committing(directory, location, seconds),
        ]
    }

    private static func synchronising(_ directory: String, _ location: String, _ seconds: Double) throws -> FloorPiece {
        let path = directory + "/floor.bin"
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BenchmarkFailure(system: "creating \(path)") }
        defer {
            close(descriptor)
            unlink(path)
        }
        // Overwritten, as SQLite overwrites its log once it has its size.
        let page = [UInt8](repeating: 0x41, count: 4096)
        let pages = 256
        for index in 0..<pages where pwrite(descriptor, page, page.count, index * page.count) != page.count {
            throw BenchmarkFailure(system: "writing \(path)")
        }
        guard fsync(descriptor) == 0 else { throw BenchmarkFailure(system: "writing \(path)") }
        var index = 0
        return try FloorPiece.measure(.fdatasync, at: location, seconds: seconds) {
            index = (index + 1) % pages
            guard pwrite(descriptor, page, page.count, index * page.count) == page.count, fdatasync(descriptor) == 0
            else { throw BenchmarkFailure(system: "writing \(path)") }
        }
    }

    private static func committing(_ directory: String, _ location: String, _ seconds: Double) throws -> FloorPiece {
        let path = directory + "/floor.db"
        defer { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }
        var configuration = Configuration()
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let row = String(repeating: "x", count: 1000)
        return try queue.inDatabase { database in
            try database.execute(sql: "CREATE TABLE row (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
            let insert = try database.makeStatement(sql: "INSERT INTO row (body) VALUES (?)")
            // A statement by itself is a transaction.
            return try FloorPiece.measure(.commit, at: location, seconds: seconds) {
                try insert.execute(arguments: [row])
            }
        }
    }
}
