import Glibc
import StrictJSON
package import TradingCore

/// The kill switch: one file for each halt, so that it works from outside even if the worker hangs.
package struct HaltFiles {
    private let stateDirectory: String
    /// The open state directory, in which the kernel finds a file sooner than by its whole path; `AT_FDCWD` where it is
    /// not open.
    private let stateDescriptor: Int32

    /// - Parameter stateDirectory: The worker's state directory.
    package init(stateDirectory: String) {
        self.stateDirectory = stateDirectory
        stateDescriptor = AT_FDCWD
    }

    /// The halts of the worker that has this directory, wherever it may be moved to.
    package init(in directory: StateDirectory) {
        stateDirectory = directory.pathByDescriptor
        stateDescriptor = directory.descriptor
    }

    /// The record of halts in the same directory.
    package var history: HaltHistory { HaltHistory(stateDirectory: stateDirectory, stateDescriptor) }

    private var directory: String { StateDirectory.haltPath(in: stateDirectory) }

    /// The halt that covers a strategy, the one for all first. Asked before every order, and of files that are hardly ever
    /// there. Where the files cannot be looked at, everything is halted.
    package func halt(covering strategy: StrategyName) -> Halt? {
        do {
            guard let folder = try openFolder() else { return nil }
            defer { close(folder) }
            return halt(.all, in: folder) ?? halt(.strategy(strategy), in: folder)
        } catch {
            return Halt(unreadable: .all, "the halt file cannot be read: \(error)")
        }
    }

    /// Every halt that is in force.
    package func list() throws(SystemError) -> [Halt] {
        guard let folder = try openFolder() else { return [] }
        defer { close(folder) }
        return try Files.names(in: directory).compactMap { Halt.scope(fileName: $0) }
            .compactMap { halt($0, in: folder) }
    }

    /// The files that are called like no halt, and so halt nothing: somebody may have meant one.
    package func strays() throws(SystemError) -> [String] {
        guard let folder = try openFolder() else { return [] }
        close(folder)
        return try Files.names(in: directory).filter { Halt.scope(fileName: $0) == nil }
    }

    /// Begins a halt, or changes the one in force.
    package func write(_ halt: Halt) throws(SystemError) {
        try Files.makeDirectory(directory)
        // The worker may run as another user than the operator, and must see whether waiting decisions are to wait.
        try Files.write(Array((halt.json.text + "\n").utf8), to: path(halt.scope), othersMayRead: true)
    }

    /// Begins a halt that says nothing about itself: an empty file needs no room on a disk that is full. One that is there
    /// stays as it is.
    package func writeEmpty(_ scope: Halt.Scope) throws(SystemError) {
        try Files.makeDirectory(directory)
        let descriptor = open(path(scope), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError("creating \(path(scope))") }
        close(descriptor)
        try Files.syncDirectory(of: path(scope))
    }

    /// Ends a halt; false where there was none.
    package func clear(_ scope: Halt.Scope) throws(SystemError) -> Bool {
        try Files.remove(path(scope))
    }

    private func halt(_ scope: Halt.Scope, in folder: Int32) -> Halt? {
        do {
            guard try Files.hasEntry(Halt.fileName(scope), in: folder) else { return nil }
            return Halt(scope, fileContent: try Files.read(path(scope), bytesMax: 16_384))
        } catch {
            return Halt(unreadable: scope, "the halt file cannot be read: \(error)")
        }
    }

    /// Whether a halt is in force.
    package func isThere(_ scope: Halt.Scope) throws(SystemError) -> Bool {
        guard let folder = try openFolder() else { return false }
        defer { close(folder) }
        return try Files.hasEntry(Halt.fileName(scope), in: folder)
    }

    /// The folder of halts, opened for reading; nil where there is none. Who cannot list it sees less of it than all, and
    /// cannot know that a halt is not there.
    private func openFolder() throws(SystemError) -> Int32? {
        let path = stateDescriptor == AT_FDCWD ? directory : StateDirectory.haltFolder
        let folder = openat(stateDescriptor, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 { return folder }
        let error = SystemError("opening \(directory)")
        // A link that leads nowhere, as to a disk that is not mounted, is not the same as no folder.
        guard error.number == ENOENT, try !Files.hasEntry(path, in: stateDescriptor) else { throw error }
        return nil
    }

    private func path(_ scope: Halt.Scope) -> String { directory + "/" + Halt.fileName(scope) }
}
