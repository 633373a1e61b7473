import HostSystem
import TradingCore
import ZeroMQMessaging

/// Reads the keys by which guarded workers are spoken to.
enum KeyFiles {
    private static let bytesMax = 65_536

    /// The monitor's own pair, from a file that nobody else can read.
    static func ownPair(_ path: String) throws -> CurveKeyPair {
        let certificate = try certificate(try SecretFile.read(path, bytesMax: bytesMax), path)
        guard let secretKey = certificate.secretKey else {
            throw Failure("\(path) holds no secret-key; name the file that ends in .key_secret")
        }
        let pair = try CurveKeyPair(secretKey: secretKey.text)
        guard pair.publicKey == certificate.publicKey.text else {
            throw Failure("the two keys in \(path) do not belong together")
        }
        return pair
    }

    /// A worker's public key: given as its 40 characters, or in a file.
    static func publicKey(_ keyOrPath: String) throws -> String {
        if let key = CurveKey(keyOrPath), try !Files.exists(keyOrPath) { return key.text }
        return try certificate(try Files.read(keyOrPath, bytesMax: bytesMax), keyOrPath).publicKey.text
    }

    private static func certificate(_ content: [UInt8], _ path: String) throws -> KeyCertificate {
        do throws(KeyCertificate.Problem) {
            return try KeyCertificate(parsing: content)
        } catch {
            throw Failure("\(path): \(error)")
        }
    }
}

/// What a person reads of an error: one line that says what is wrong and what to do.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
