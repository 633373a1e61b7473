package import HostSystem
package import TradingCore

/// The limits of a file that is read again when it changes.
package struct WatchedLimits: LimitsSource {
    private let file: WatchedFile<TradingLimits>

    /// - Throws: Why the file cannot be taken.
    package init(_ path: String) throws(WatchedFileProblem) {
        file = try WatchedFile(path, bytesMax: LimitsFile.bytesMax) {
            (content) throws(WatchedFileProblem) in
            do throws(LimitsFile.Problem) {
                return try LimitsFile.read(content)
            } catch {
                throw WatchedFileProblem("\(path): \(error)")
            }
        }
    }

    package var limits: TradingLimits { file.meaning }
    package var content: [UInt8] { file.content }

    package func look() -> LimitsChange {
        switch file.look() {
        case .unchanged: .none
        case .changed: .changed
        case .broken(let why): .broken(why)
        }
    }
}
