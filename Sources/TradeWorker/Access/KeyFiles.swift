package import HostSystem
package import TradingCore
package import ZeroMQMessaging

/// The list of allowed keys, as a file.
package enum KeyListFile {
    /// Room for some thousand keys.
    package static let bytesMax = 1 << 20

    /// Reads the list now, and again whenever it changes. One that others may write says nothing about who is allowed.
    package static func watch(_ path: String) throws(WatchedFileProblem) -> WatchedFile<KeyList> {
        try WatchedFile(path, bytesMax: bytesMax) { content throws(WatchedFileProblem) in
            do {
                guard try !Files.isWritableByOthers(path) else {
                    throw KeyFileProblem("\(path) can be written by others; chmod go-w \(path)")
                }
                return try KeyList(parsing: content)
            } catch let problem as KeyFileProblem {
                throw WatchedFileProblem(problem.description)
            } catch {
                throw WatchedFileProblem("\(path): \(error)")
            }
        }
    }
}

/// Why a key file cannot be used.
package struct KeyFileProblem: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Files with keys, as czmq and pyzmq write them.
package enum KeyFile {
    /// Reads a file with a secret key, which nobody else may be able to read.
    package static func secret(_ path: String) throws(KeyFileProblem) -> CurveKeyPair {
        let certificate = try read(path)
        guard let secretKey = certificate.secretKey else {
            throw KeyFileProblem("\(path) holds no secret-key; name the file that ends in .key_secret")
        }
        let isOpen: Bool
        do {
            isOpen = try Files.isReadableByOthers(path)
        } catch {
            throw KeyFileProblem("\(error)")
        }
        guard !isOpen else { throw KeyFileProblem("others can read the secret key in \(path); chmod 600 \(path)") }
        let pair: CurveKeyPair
        do {
            pair = try CurveKeyPair(secretKey: secretKey.text)
        } catch {
            throw KeyFileProblem("\(path): \(error)")
        }
        guard pair.publicKey == certificate.publicKey.text else {
            throw KeyFileProblem("the two keys in \(path) do not belong together")
        }
        return pair
    }

    /// A public key: given as its 40 characters, or in a file.
    package static func publicKey(_ keyOrPath: String) throws(KeyFileProblem) -> CurveKey {
        if let key = CurveKey(keyOrPath), !keyOrPath.hasPrefix("/") { return key }
        return try read(keyOrPath).publicKey
    }

    fileprivate static func read(_ path: String) throws(KeyFileProblem) -> KeyCertificate {
        do {
            return try KeyCertificate(parsing: try Files.read(path, bytesMax: 65_536))
        } catch let problem as KeyCertificate.Problem {
            throw KeyFileProblem("\(path): \(problem)")
        } catch {
            throw KeyFileProblem("\(error)")
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
