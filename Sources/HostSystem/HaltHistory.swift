import Glibc
import StrictJSON
package import TradingCore

/// The record of halts, `halt-history.jsonl` in the state directory: one line for each halt that was begun or ended. It
/// is a file, so that it is kept even while the worker hangs or none runs; the worker copies it into its database.
package struct HaltHistory {
    private let stateDirectory: String
    private let stateDescriptor: Int32
    package static let fileName = "halt-history.jsonl"

    /// - Parameter stateDirectory: The worker's state directory.
    package init(stateDirectory: String) {
        self.init(stateDirectory: stateDirectory, AT_FDCWD)
    }

    init(stateDirectory: String, _ stateDescriptor: Int32) {
        self.stateDirectory = stateDirectory
        self.stateDescriptor = stateDescriptor
    }

    private var path: String { stateDirectory + "/" + HaltHistory.fileName }

    /// Adds a line, which is durable when this returns.
    package func append(_ event: HaltEvent) throws(SystemError) {
        let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw SystemError("opening \(path)") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError("looking at \(path)") }
        if status.st_size == 0 { try giveToWorker(descriptor) }
        var line = Array((event.json.text + "\n").utf8)
        // Half a line of somebody who could not write more must not make nonsense of this one.
        if try !endsWithLine(descriptor, size: status.st_size) { line.insert(UInt8(ascii: "\n"), at: 0) }
        // In one call, which puts the whole line at the end whoever else is writing.
        let count = write(descriptor, line, line.count)
        guard count == line.count else {
            throw count < 0 ? SystemError("writing \(path)") : SystemError("writing \(path)", number: ENOSPC)
        }
        guard fsync(descriptor) == 0 else { throw SystemError("writing \(path)") }
        if status.st_size == 0 { try Files.syncDirectory(of: path) }
    }

    /// The next lines from a position on; nil where there are none. Costs one system call then.
    ///
    /// Where the position is not after the end of a line, the file is another one than before, and is read from its
    /// beginning.
    package func read(from position: Int64) throws(SystemError) -> HaltHistoryPage? {
        var status = stat()
        let isOpen = stateDescriptor != AT_FDCWD
        guard fstatat(stateDescriptor, isOpen ? HaltHistory.fileName : path, &status, 0) == 0 else {
            if errno == ENOENT { return nil }
            throw SystemError("looking at \(path)")
        }
        guard status.st_size != position else { return nil }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("opening \(path)") }
        defer { close(descriptor) }
        let start = try endsWithLine(descriptor, size: Int(position)) ? position : 0
        var bytes = [UInt8](repeating: 0, count: HaltHistoryPage.bytesMax)
        let count = pread(descriptor, &bytes, bytes.count, Int(start))
        guard count >= 0 else { throw SystemError("reading \(path)") }
        var page = HaltHistoryPage(Array(bytes[..<count]), from: start)
        if page.end == start, count == bytes.count {
            guard let end = try lineEnd(descriptor, from: start + Int64(count)) else { return nil }
            page = HaltHistoryPage(overlongLineTo: end)
        }
        return start == position && page.end == position ? nil : page
    }

    /// The position after the end of the line that stands at a position; nil where it has none yet.
    private func lineEnd(_ descriptor: Int32, from position: Int64) throws(SystemError) -> Int64? {
        var bytes = [UInt8](repeating: 0, count: HaltHistoryPage.bytesMax)
        var position = position
        while true {
            let count = pread(descriptor, &bytes, bytes.count, Int(position))
            guard count >= 0 else { throw SystemError("reading \(path)") }
            if count == 0 { return nil }
            if let newline = bytes[..<count].firstIndex(of: UInt8(ascii: "\n")) { return position + Int64(newline) + 1 }
            position += Int64(count)
        }
    }

    /// Whether the byte before `size` is there and ends a line, or there is none before it.
    private func endsWithLine(_ descriptor: Int32, size: Int) throws(SystemError) -> Bool {
        guard size > 0 else { return true }
        var last: UInt8 = 0
        let count = pread(descriptor, &last, 1, size - 1)
        guard count >= 0 else { throw SystemError("reading \(path)") }
        return count == 1 && last == UInt8(ascii: "\n")
    }

    /// A file that root has made is the worker's, or whoever runs it could add nothing.
    private func giveToWorker(_ descriptor: Int32) throws(SystemError) {
        // Whatever the umask says: the worker may run as another user than the operator.
        guard fchmod(descriptor, 0o644) == 0 else { throw SystemError("creating \(path)") }
        guard geteuid() == 0 else { return }
        var owner = stat()
        guard stat(stateDirectory, &owner) == 0 else { throw SystemError("looking at \(stateDirectory)") }
        guard fchown(descriptor, owner.st_uid, owner.st_gid) == 0 else { throw SystemError("creating \(path)") }
    }
}
