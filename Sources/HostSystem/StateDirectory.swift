import CLinux
import Glibc

/// The one directory in which a worker keeps everything, and the proof that no other worker has it.
///
/// The lock is on the directory itself, not on a file in it, since a file can be deleted and made anew, and then two
/// workers hold a lock each. A crashed worker's lock is free at once.
package final class StateDirectory {
    package let path: String
    let descriptor: Int32

    /// Why a state directory cannot be had.
    package enum Failure: Error, CustomStringConvertible {
        case lockedByAnother(path: String, processID: String?)
        case system(SystemError)

        package var description: String {
            switch self {
            case .lockedByAnother(let path, let processID):
                "the state directory \(path) is in use by another worker\(processID.map { " (process \($0))" } ?? "")"
            case .system(let error): "\(error)"
            }
        }
    }

    /// Makes the directory where there is none, and locks it for as long as this object lives.
    package init(_ path: String) throws(Failure) {
        do {
            try Files.makeDirectory(path)
            try Files.makeDirectory(path + "/halt")
        } catch {
            throw .system(error)
        }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(SystemError("opening \(path)")) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError("locking \(path)")
            close(descriptor)
            guard error.number == EWOULDBLOCK else { throw .system(error) }
            throw .lockedByAnother(path: path, processID: StateDirectory.processID(in: path))
        }
        self.path = path
        self.descriptor = descriptor
        do {
            try Files.write(Array("\(getpid())\n".utf8), to: path + "/worker.pid")
            try finishExchange()
        } catch {
            close(descriptor)
            throw .system(error)
        }
    }

    deinit { close(descriptor) }

    /// The same directory, wherever it may be moved to while this object lives.
    package var pathByDescriptor: String { "/proc/self/fd/\(descriptor)" }

    package static func databasePath(in path: String) -> String { path + "/\(databaseName)" }
    private static let databaseName = "trades.db"

    /// Whether a name is one of those that a database and its exchange have, or may have one day: whatever else stood
    /// there would be taken for its log, or for the database that comes next.
    /// - Parameter databasePath: The database, `trades.db` in its directory.
    package static func isReserved(_ path: String, for databasePath: String) -> Bool {
        let (directory, name) = Files.split(path)
        return name.hasPrefix(databaseName) && Files.areSame(directory, Files.split(databasePath).directory)
    }

    package static func haltPath(in path: String) -> String { path + "/" + haltFolder }
    static let haltFolder = "halt"

    /// Whether a worker holds the lock right now, and its process id where it is known.
    package static func owner(of path: String) throws(SystemError) -> (isRunning: Bool, processID: String?) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("opening \(path)") }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return (false, nil) }
        guard errno == EWOULDBLOCK else { throw SystemError("looking at the lock of \(path)") }
        return (true, processID(in: path))
    }

    /// A word to help a person; the lock, not this file, says who owns the directory.
    private static func processID(in path: String) -> String? {
        guard let bytes = try? Files.read(path + "/worker.pid", bytesMax: 16) else { return nil }
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    }
}
