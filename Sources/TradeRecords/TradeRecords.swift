import GRDB
import Glibc
import TradeJournal

/// The worker's database as commands see it: only to read, while a worker writes it and while none does.
///
/// Nothing here makes a database, changes one or keeps a worker from writing. (SQLite itself may put its two helper
/// files, `-wal` and `-shm`, beside the database.)
package final class TradeRecords {
    private let queue: DatabaseQueue

    var databasePath: String { queue.path }

    /// Opens the database of a state directory.
    /// - Parameter path: The file, which must be there.
    package init(path: String) throws(RecordsFault) {
        guard access(path, F_OK) == 0 else {
            let number = errno
            guard number != ENOENT, number != ENOTDIR else { throw .noDatabase(path: path) }
            throw .unreadable(path: path, message: String(cString: strerror(number)))
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: TradeRecords.configuration)
            switch try queue.read({ try TradeJournal.age(of: $0) }) {
            case .current: break
            case .older: throw RecordsFault.older(path: path)
            case .newer: throw RecordsFault.newer(path: path)
            }
        } catch {
            throw RecordsFault(path, error)
        }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "trade records"
        configuration.readonly = true
        // A worker that starts or stops holds the database for a moment.
        configuration.busyMode = .timeout(2)
        return configuration
    }

    /// Runs `body` on the database as it is at one moment, whatever is written meanwhile.
    /// - Throws: `RecordsFault` when the database fails; what `body` throws of its own goes through.
    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try queue.read(body)
        } catch let error as DatabaseError {
            throw RecordsFault(queue.path, error)
        }
    }
}
