package import HostSystem
package import TradingCore

/// The partition map of a file that is read again when it changes.
package struct WatchedPartitionMap: PartitionMapSource {
    private let file: WatchedFile<PartitionMap>

    /// - Throws: Why the file cannot be taken.
    package init(_ path: String) throws(WatchedFileProblem) {
        file = try WatchedFile(path, bytesMax: PartitionMapFile.bytesMax) {
            (content) throws(WatchedFileProblem) in
            do throws(PartitionMapFile.Problem) {
                return try PartitionMapFile.read(content)
            } catch {
                throw WatchedFileProblem("\(path): \(error)")
            }
        }
    }

    package var map: PartitionMap { file.meaning }

    package func look() -> PartitionMapChange {
        switch file.look() {
        case .unchanged: .none
        case .changed: .changed
        case .broken(let why): .broken(why)
        }
    }
}
