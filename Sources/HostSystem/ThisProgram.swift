import CLinux
import Glibc

package enum ThisProgram {
    /// Names the thread that calls this, for who looks at the process: at most 15 bytes.
    static func nameThread(_ name: String) {
        let result = clinux_name_thread(name)
        precondition(result == 0, "a thread can have a name")
    }

    /// The path of the file that runs.
    package static func path() throws(SystemError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                characters.baseAddress.map { readlink("/proc/self/exe", $0, characters.count) } ?? -1
            }
        }
        guard count > 0 else { throw SystemError("finding this program's file") }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// The path of a program that lies beside this one.
    package static func neighbour(_ name: String) throws(SystemError) -> String {
        let path = try path()
        let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        return "\(folder)/\(name)"
    }

    /// Makes an empty directory for this user only, under the directory for temporary files.
    package static func temporaryDirectory(_ prefix: String) throws(SystemError) -> String {
        let base = ProcessEnvironment.all()["TMPDIR"] ?? "/tmp"
        var template = Array("\(base)/\(prefix).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("making a directory in \(base)") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
