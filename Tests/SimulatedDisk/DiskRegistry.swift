import Foundation

/// The disks that exist, by name. The name of one that is gone stays, and may be used again.
final class DiskRegistry: @unchecked Sendable {
    static let shared = DiskRegistry()

    private struct Entry {
        weak var disk: SimulatedDisk?
    }

    private let lock = NSLock()
    private var entries: [String: Entry] = [:]

    func add(_ disk: SimulatedDisk) {
        lock.withLock {
            precondition(entries[disk.name]?.disk == nil, "there is a disk named \(disk.name) already")
            entries[disk.name] = Entry(disk: disk)
        }
    }

    func disk(_ name: String) -> SimulatedDisk? {
        lock.withLock { entries[name]?.disk }
    }
}
