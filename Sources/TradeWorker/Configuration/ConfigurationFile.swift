import TradingCore

/// A configuration file: lines `name = value`, with `#` at a line's start for comments.
package struct ConfigurationFile: Equatable, Sendable {
    package let path: String
    package let values: [Setting: String]

    /// - Parameter content: The file's bytes.
    package init(path: String, content: [UInt8]) throws(Configuration.Problem) {
        var values: [Setting: String] = [:]
        for (name, value, line) in try ConfigurationFile.lines(path: path, content) {
            guard let setting = Setting(rawValue: name) else {
                throw Configuration.Problem(
                    "\(path), line \(line): there is no setting \(ConfigurationFile.quotable(name)); "
                        + "`trade-executor run --help` lists them")
            }
            guard values.updateValue(value, forKey: setting) == nil else {
                throw Configuration.Problem("\(path), line \(line): \(name) is set twice")
            }
        }
        self.path = path
        self.values = values
    }

    /// The lines `name = value`, each with its number; without comments and empty ones.
    static func lines(
        path: String, _ content: [UInt8]
    ) throws(Configuration.Problem) -> [(name: String, value: String, number: Int)] {
        // A path would end at a NUL, unseen.
        guard let text = String(validating: content, as: UTF8.self), !content.contains(0) else {
            throw Configuration.Problem("\(path) is not a text file in UTF-8")
        }
        var lines: [(name: String, value: String, number: Int)] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.trimmed
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw Configuration.Problem("\(path), line \(index + 1): expected name = value")
            }
            let value = line[line.index(after: equals)...].trimmed
            lines.append((String(line[..<equals].trimmed), String(value), index + 1))
        }
        return lines
    }

    /// A name that is none may be a secret that was written in the wrong place.
    private static func quotable(_ name: String) -> String {
        let isLikeASetting = name.utf8.count <= 32 && name.utf8.allSatisfy { $0 == 0x5F || (0x61...0x7A).contains($0) }
        return isLikeASetting ? name : "of that name"
    }

    package var holdsSecrets: Bool { values[.secretKey] != nil }
}
