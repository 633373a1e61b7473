import GRDB

/// The records cannot be read: why, and what to do.
package enum RecordsFault: Error, Equatable, CustomStringConvertible {
    case noDatabase(path: String)
    /// It was written by a version of this program that came later.
    case newer(path: String)
    /// It was written by a version that came before, or is not filled yet.
    case older(path: String)
    case unreadable(path: String, message: String)

    init(_ path: String, _ error: any Error) {
        switch error {
        case let fault as RecordsFault: self = fault
        case let error as DatabaseError: self = .unreadable(path: path, message: error.message ?? error.description)
        default: self = .unreadable(path: path, message: "\(error)")
        }
    }

    package var description: String {
        switch self {
        case .noDatabase(let path):
            "there is no database at \(path): no worker has run there yet; check --state-dir and --partition"
        case .newer(let path):
            "\(path) was written by a newer version of trade-executor; use that version"
        case .older(let path):
            "\(path) is from an older version of trade-executor; start the worker once, which brings it up to date"
        case .unreadable(let path, let message):
            "\(path) cannot be read: \(message)"
        }
    }
}
