import Foundation

/// Our key pair and the worker's public key, each as 40 characters of Z85.
public struct CurveKeys: Sendable {
    public let publicKey: String
    public let secretKey: String
    public let serverKey: String

    /// From the files of `trade-executor keys generate`: our `NAME.key_secret`, the worker's public `NAME.key`.
    public init(secretFile: String, serverFile: String) throws(ClientError) {
        publicKey = try Self.find("public-key", in: secretFile)
        secretKey = try Self.find("secret-key", in: secretFile)
        serverKey = try Self.find("public-key", in: serverFile)
    }

    private static func find(_ name: String, in file: String) throws(ClientError) -> String {
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw .file("\(file): \(error.localizedDescription)")
        }
        for line in text.split(whereSeparator: \.isNewline) {
            // A # begins a comment only at the start of a line: keys contain it too.
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == name else { continue }
            let value = parts[1].trimmingCharacters(in: CharacterSet(charactersIn: " \t\"'"))
            if value.count == 40 { return value }
        }
        throw .file("\(file) has no \(name) of 40 characters")
    }
}
