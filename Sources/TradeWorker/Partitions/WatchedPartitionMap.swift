package import HostSystem
package import TradingCore

extension PartitionMapFile {
    /// The partition map of a file that is read again when it changes.
    /// - Throws: Why the file cannot be taken.
    package static func watch(_ path: String) throws(WatchedFileProblem) -> WatchedFile<PartitionMap> {
        try WatchedFile(path, bytesMax: bytesMax) { (content) throws(WatchedFileProblem) in
            do throws(PartitionMapFile.Problem) {
                return try read(content)
            } catch {
                throw WatchedFileProblem("\(path): \(error)")
            }
        }
    }
}
