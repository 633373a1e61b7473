import Glibc
package import TradingCore

/// The `moves` folder of a state directory: what the operator's command asks of the worker, one file for each strategy,
/// and the rows that it brings.
package struct MoveFiles {
    private let directory: String

    /// - Parameter stateDirectory: The worker's state directory.
    package init(stateDirectory: String) {
        directory = stateDirectory + "/moves"
    }

    /// The moves of the worker that has this directory, wherever it may be moved to.
    package init(in directory: StateDirectory) {
        self.init(stateDirectory: directory.pathByDescriptor)
    }

    /// What is asked for, one for each strategy at most. What is no request is passed over.
    package func all() throws(SystemError) -> [MoveRequest] {
        var requests: [MoveRequest] = []
        for name in try Files.names(in: directory) where name.hasPrefix("strategy-") && name.hasSuffix(".json") {
            guard let content = try? Files.read(directory + "/" + name, bytesMax: 4096) else { continue }
            if let request = MoveRequest(content) { requests.append(request) }
        }
        return requests
    }

    /// What was asked last of a strategy's move; nil where nothing is.
    package func request(of strategy: StrategyName) throws(SystemError) -> MoveRequest? {
        guard try Files.exists(path(strategy)) else { return nil }
        return MoveRequest(try Files.read(path(strategy), bytesMax: 4096))
    }

    /// Where the rows of a move stand.
    package func rowsPath(of id: String) -> String { "\(directory)/\(id).db" }

    /// Counts a try to take the rows of a move in.
    /// - Returns: How many tries were begun and not ended, with this one.
    package func countTry(of id: String) throws(SystemError) -> Int {
        let path = triesPath(of: id)
        let before = try Files.exists(path) ? try Files.read(path, bytesMax: 64) : []
        try Files.write(before + [UInt8(ascii: "1")], to: path, othersMayRead: true)
        return before.count + 1
    }

    /// No try is under way.
    package func clearTries(of id: String) throws(SystemError) { _ = try Files.remove(triesPath(of: id)) }

    private func triesPath(of id: String) -> String { "\(directory)/\(id).tries" }

    /// Where they are written before they are whole.
    package func newRowsPath(of id: String) -> String { "\(directory)/.\(id).db.new" }

    // MARK: For the command

    /// Makes the folder where there is none.
    package func prepare() throws(SystemError) {
        try Files.makeDirectory(directory)
        try giveToWorker(directory)
    }

    /// Asks for something, in place of what was asked for before.
    package func ask(_ request: MoveRequest) throws(SystemError) {
        try Files.write(Array(request.text.utf8), to: path(request.strategy), othersMayRead: true)
    }

    /// Asks for nothing any more, and takes the rows of the move away.
    package func clear(_ strategy: StrategyName, id: String) throws(SystemError) {
        _ = try Files.remove(path(strategy))
        try clearNewRows(of: id)
        _ = try Files.remove(rowsPath(of: id))
        try clearTries(of: id)
    }

    /// Takes away what was written of the rows when a command died.
    package func clearNewRows(of id: String) throws(SystemError) {
        for suffix in ["", "-journal", "-wal", "-shm"] { _ = try Files.remove(newRowsPath(of: id) + suffix) }
    }

    /// A file for rows that come from, or go to, another machine. One that a command left when it died is taken away.
    package func carriedRows(of strategy: StrategyName) throws(SystemError) -> UnfinishedFile {
        try UnfinishedFile("\(directory)/carried-\(strategy.text).db")
    }

    /// Puts the rows that are written whole where the worker looks for them.
    /// - Parameter path: Where they are.
    package func offerRows(of id: String, from path: String) throws(SystemError) {
        try giveToWorker(path)
        guard rename(path, rowsPath(of: id)) == 0 else { throw SystemError("creating \(rowsPath(of: id))") }
        try Files.syncDirectory(of: rowsPath(of: id))
    }

    private func path(_ strategy: StrategyName) -> String { "\(directory)/strategy-\(strategy.text).json" }

    /// What root has made is the worker's.
    private func giveToWorker(_ path: String) throws(SystemError) {
        guard geteuid() == 0 else { return }
        var owner = stat()
        let stateDirectory = String(directory.dropLast("/moves".count))
        guard stat(stateDirectory, &owner) == 0 else { throw SystemError("looking at \(stateDirectory)") }
        guard chown(path, owner.st_uid, owner.st_gid) == 0 else { throw SystemError("giving away \(path)") }
    }
}
