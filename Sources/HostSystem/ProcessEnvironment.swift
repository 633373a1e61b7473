import Glibc

package enum ProcessEnvironment {
    /// Every variable of the process.
    package static func all() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let line = String(cString: text)
            if let equals = line.firstIndex(of: "=") {
                variables[String(line[..<equals])] = String(line[line.index(after: equals)...])
            }
            entry += 1
        }
        return variables
    }

    /// Writes stars over the values of variables, where /proc shows them. To be done before there are other threads.
    package static func blank(_ names: Set<String>) {
        var entry = environ
        while let text = entry.pointee {
            let line = String(cString: text)
            if let equals = line.firstIndex(of: "="), names.contains(String(line[..<equals])) {
                let value = text + line.utf8.distance(from: line.startIndex, to: equals) + 1
                memset(value, Int32(UInt8(ascii: "*")), strlen(value))
            }
            entry += 1
        }
    }
}
