import Glibc

/// A path of a file on a simulated disk: `/simulated/<disk>/<file>`, or `/simulated/<disk>/<process>/<file>`.
///
/// SQLite asks for the full path of a database when it opens it, and makes the paths of its log and journal from the
/// answer. So the answer carries the number of the process: a connection that deletes its log when it is closed names
/// nothing but a path, and it must be seen whether it is the log of the living.
struct SimulatedPath {
    static let root = "/simulated/"

    let disk: String
    /// Nil means the process that lives.
    let process: Int?
    let file: String

    /// - Returns: Nil for every other path, and for none.
    init?(_ path: UnsafePointer<CChar>?) {
        guard let path, strncmp(path, SimulatedPath.root, SimulatedPath.root.utf8.count) == 0 else { return nil }
        let parts = String(cString: path).split(separator: "/").dropFirst().map(String.init)
        switch parts.count {
        case 2: (disk, process, file) = (parts[0], nil, parts[1])
        case 3:
            guard let number = Int(parts[1]) else { return nil }
            (disk, process, file) = (parts[0], number, parts[2])
        default: return nil
        }
    }

    init(disk: String, process: Int, file: String) {
        self.disk = disk
        self.process = process
        self.file = file
    }

    var text: String { "\(SimulatedPath.root)\(disk)/\(process.map { "\($0)/" } ?? "")\(file)" }
}
