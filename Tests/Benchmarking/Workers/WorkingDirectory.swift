import Foundation

/// The directory of a benchmark at one location. What is in it is the benchmark's own.
package struct WorkingDirectory: Sendable {
    /// What the location is called: `disk`, `tmpfs`.
    package let location: String
    package let path: String

    /// - Parameter directory: Where to make it; it may be there already.
    package init(location: String, in directory: String) {
        self.location = location
        path = directory + "/trade-benchmark"
    }

    /// An empty directory for one run.
    package func fresh() throws -> String {
        let run = path + "/run"
        try WorkingDirectory.remove(run)
        return run
    }

    /// Where the databases with so many executions are.
    package func seeded(_ count: Int) -> String { "\(path)/seeded-\(count)" }

    /// Removes everything.
    package func remove() throws { try WorkingDirectory.remove(path) }

    static func remove(_ path: String) throws {
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
    }

    /// Copies a directory with everything in it, so that it is there whole or not at all.
    static func copy(_ source: String, to target: String) throws {
        let parent = URL(fileURLWithPath: target).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        let part = target + ".part"
        try remove(part)
        try FileManager.default.copyItem(atPath: source, toPath: part)
        try FileManager.default.moveItem(atPath: part, toPath: target)
    }

    /// How many bytes can be written there.
    package func freeBytes() throws -> Int64 {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: path)
        guard let free = attributes[.systemFreeSize] as? NSNumber else {
            throw BenchmarkFailure("\(path) does not say how much room there is")
        }
        return free.int64Value
    }
}
