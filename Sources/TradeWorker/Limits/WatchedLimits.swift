package import HostSystem
package import TradingCore

extension LimitsFile {
    /// The limits of a file that is read again when it changes.
    /// - Throws: Why the file cannot be taken.
    package static func watch(_ path: String) throws(WatchedFileProblem) -> WatchedFile<TradingLimits> {
        try WatchedFile(path, bytesMax: bytesMax) { (content) throws(WatchedFileProblem) in
            do throws(LimitsFile.Problem) {
                return try read(content)
            } catch {
                throw WatchedFileProblem("\(path): \(error)")
            }
        }
    }
}
