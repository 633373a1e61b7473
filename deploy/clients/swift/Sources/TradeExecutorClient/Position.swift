import Foundation

/// Up to where a strategy's outcomes have been handled: what to keep on disk.
public struct Position: Codable, Equatable, Sendable {
    /// The worker's database; nil before anything was heard of it.
    public var stream: String?
    /// The last `strategy_seq`; 0 for none.
    public var counter: Int

    public init(stream: String? = nil, counter: Int = 0) {
        self.stream = stream
        self.counter = counter
    }

    /// Reads a file; the beginning, where there is none.
    public init(contentsOf file: String) throws(ClientError) {
        guard FileManager.default.fileExists(atPath: file) else {
            self.init()
            return
        }
        do {
            self = try JSONDecoder().decode(Position.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw .file("\(file): \(error)")
        }
    }

    /// Replaces the file in one step, so that a crash leaves the old or the new one.
    public func save(to file: String) throws(ClientError) {
        do {
            let temporary = file + ".new"
            guard FileManager.default.createFile(atPath: temporary, contents: nil) else {
                throw ClientError.file("cannot be created")
            }
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: temporary))
            try handle.write(contentsOf: JSONEncoder().encode(self))
            try handle.synchronize()
            try handle.close()
            guard rename(temporary, file) == 0 else { throw ClientError.file(String(cString: strerror(errno))) }
        } catch {
            throw .file("\(file): \(error)")
        }
    }
}
