/// Where an account's key and secret stand.
package enum CredentialsSource: Equatable, Sendable, CustomStringConvertible {
    case environment
    /// The directory of credentials that systemd gives a service.
    case serviceDirectory(String)
    /// The file that the setting `credentials` names.
    case file(String)
    case configurationFile(String)
    /// None are needed for a simulator on this machine.
    case none

    package var description: String {
        switch self {
        case .environment: "the environment"
        case .serviceDirectory(let path), .file(let path), .configurationFile(let path): path
        case .none: "nowhere: a simulator needs none"
        }
    }
}

/// What one place holds of an account's key and secret. It prints as `<secret>`, whatever prints it.
package struct FoundCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package let source: CredentialsSource
    let keyID: String?
    let secretKey: String?

    /// An empty text counts as none.
    package init(_ source: CredentialsSource, keyID: String?, secretKey: String?) {
        self.source = source
        self.keyID = keyID.flatMap { $0.isEmpty ? nil : $0 }
        self.secretKey = secretKey.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A credentials file: the two lines `api_key_id = …` and `api_secret_key = …`, and comments. What is wrong with it is
    /// told without quoting it.
    package init(path: String, content: [UInt8]) throws(Configuration.Problem) {
        var values: [Setting: String] = [:]
        for (name, value, line) in try ConfigurationFile.lines(path: path, content) {
            guard let setting = Setting(rawValue: name), setting == .keyID || setting == .secretKey else {
                throw Configuration.Problem("\(path), line \(line): only api_key_id and api_secret_key stand here")
            }
            guard values.updateValue(value, forKey: setting) == nil else {
                throw Configuration.Problem("\(path), line \(line): \(setting.rawValue) is set twice")
            }
        }
        self.init(.file(path), keyID: values[.keyID], secretKey: values[.secretKey])
    }

    var isEmpty: Bool { keyID == nil && secretKey == nil }

    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
