import Glibc

/// Who runs a command, as a word for other people.
package enum OperatorName {
    /// `alice@host`; behind sudo the person, not root.
    package static func current() -> String {
        let environment = ProcessEnvironment.all()
        // Only root's word counts: anybody else could say who he likes.
        let person = geteuid() == 0 ? environment["SUDO_USER"] : nil
        let user = person ?? accountName() ?? "user \(geteuid())"
        return "\(user)@\(hostName() ?? "this machine")"
    }

    private static func accountName() -> String? {
        guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return nil }
        return String(cString: name)
    }

    private static func hostName() -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        // One byte stays zero, so that a name that was cut off ends as well.
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
