import HostSystem
package import TradingCore
package import ZeroMQMessaging

/// Why a key file cannot be used.
package struct KeyFileProblem: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Files with keys, as czmq and pyzmq write them.
package enum KeyFile {
    private static let bytesMax = 65_536

    /// Reads a file with a secret key, which nobody else may be able to read or change.
    package static func secret(_ path: String) throws(KeyFileProblem) -> CurveKeyPair {
        let content: [UInt8]
        do throws(SecretFile.Problem) {
            content = try SecretFile.read(path, bytesMax: bytesMax)
        } catch .isReadableByOthers {
            // The public half, named by mistake, may be read by anybody.
            guard try readCertificate(path).secretKey != nil else { throw withoutSecret(path) }
            throw KeyFileProblem("\(SecretFile.Problem.isReadableByOthers(path: path))")
        } catch {
            throw KeyFileProblem("\(error)")
        }
        let certificate = try certificate(content, path)
        guard let secretKey = certificate.secretKey else { throw withoutSecret(path) }
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
        do throws(SystemError) {
            if let key = CurveKey(keyOrPath), try !Files.exists(keyOrPath) { return key }
        } catch {
            throw KeyFileProblem("\(error)")
        }
        return try readCertificate(keyOrPath).publicKey
    }

    private static func withoutSecret(_ path: String) -> KeyFileProblem {
        KeyFileProblem("\(path) holds no secret-key; name the file that ends in .key_secret")
    }

    private static func readCertificate(_ path: String) throws(KeyFileProblem) -> KeyCertificate {
        let content: [UInt8]
        do throws(SystemError) {
            content = try Files.read(path, bytesMax: bytesMax)
        } catch {
            throw KeyFileProblem("\(error)")
        }
        return try certificate(content, path)
    }

    private static func certificate(_ content: [UInt8], _ path: String) throws(KeyFileProblem) -> KeyCertificate {
        do throws(KeyCertificate.Problem) {
            return try KeyCertificate(parsing: content)
        } catch {
            throw KeyFileProblem("\(path): \(error)")
        }
    }
}
