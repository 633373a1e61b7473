import HostSystem
import TradeWorker

/// The files that an account's key and secret may stand in, beside the configuration file.
enum CredentialFiles {
    private static let bytesMax = 4096

    /// What they hold, in the order in which they count: systemd's credentials, then the file of the setting.
    /// - Parameter file: The path that the setting `credentials` names.
    static func read(_ file: String?, environment: [String: String]) throws -> [FoundCredentials] {
        var found: [FoundCredentials] = []
        if let directory = environment["CREDENTIALS_DIRECTORY"], !directory.isEmpty {
            found.append(
                FoundCredentials(
                    .serviceDirectory(directory), keyID: try credential(directory + "/api_key_id"),
                    secretKey: try credential(directory + "/api_secret_key")))
        }
        if let file {
            found.append(try FoundCredentials(path: file, content: try SecretFile.read(file, bytesMax: bytesMax)))
        }
        return found
    }

    /// One of systemd's: the bare value. Nil where there is none.
    private static func credential(_ path: String) throws -> String? {
        guard try Files.exists(path) else { return nil }
        let content = try SecretFile.read(path, bytesMax: bytesMax, groupMayRead: true)
        guard let text = String(validating: content, as: UTF8.self) else {
            throw Failure("\(path) is not a text in UTF-8")
        }
        return String(text.prefix { !$0.isWhitespace })
    }
}
