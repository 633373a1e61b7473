package import HostSystem
package import KeyFiles
package import TradingCore
package import ZeroMQMessaging

/// The list of allowed keys, as a file.
package enum KeyListFile {
    /// Room for some thousand keys.
    package static let bytesMax = 1 << 20

    /// Reads the list now, and again whenever it changes.
    package static func watch(_ path: String) throws(WatchedFileProblem) -> WatchedFile<KeyList> {
        try WatchedFile(path, bytesMax: bytesMax) { content throws(WatchedFileProblem) in
            do throws(KeyList.Problem) {
                return try KeyList(parsing: content)
            } catch {
                throw WatchedFileProblem("\(path): \(error)")
            }
        }
    }
}

extension WorkerContact {
    /// Reads the keys; nil for a worker whose endpoints are for this machine only.
    package func clientKeys() throws(KeyFileProblem) -> ClientKeys? {
        guard let keys else { return nil }
        return ClientKeys(
            own: try KeyFile.secret(keys.own), serverPublicKey: try KeyFile.publicKey(keys.server).text)
    }
}
