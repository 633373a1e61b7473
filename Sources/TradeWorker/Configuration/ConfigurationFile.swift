/// A configuration file: lines `name = value`, with `#` at a line's start for comments.
package struct ConfigurationFile: Equatable, Sendable {
    package let path: String
    package let values: [Setting: String]

    /// - Parameter content: The file's bytes.
    package init(path: String, content: [UInt8]) throws(Configuration.Problem) {
        // A path would end at a NUL, unseen.
        guard let text = String(validating: content, as: UTF8.self), !content.contains(0) else {
            throw Configuration.Problem("\(path) is not a text file in UTF-8")
        }
        var values: [Setting: String] = [:]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = ConfigurationFile.trimmed(line)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw Configuration.Problem("\(path), line \(index + 1): expected name = value")
            }
            let name = ConfigurationFile.trimmed(line[..<equals])
            guard let setting = Setting(rawValue: String(name)) else {
                throw Configuration.Problem(
                    "\(path), line \(index + 1): there is no setting \(name); `trade-executor run --help` lists them")
            }
            guard values[setting] == nil else {
                throw Configuration.Problem("\(path), line \(index + 1): \(name) is set twice")
            }
            values[setting] = String(ConfigurationFile.trimmed(line[line.index(after: equals)...]))
        }
        self.path = path
        self.values = values
    }

    package var holdsSecrets: Bool { values[.secretKey] != nil }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first.isWhitespace { text = text.dropFirst() }
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return text
    }
}
