import Glibc

/// Packs and unpacks files with the program `gzip`, which every Debian has.
package enum Gzip {
    /// Why a file was not packed or unpacked.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Packs a file. The same content makes the same bytes.
    package static func pack(_ source: String, into target: UnfinishedFile) throws {
        try run(["gzip", "--no-name", "--stdout"], from: source, to: target.descriptor)
    }

    /// Unpacks a file, and checks what it holds against its checksum.
    package static func unpack(_ source: String, into target: UnfinishedFile) throws {
        try run(["gzip", "--decompress", "--stdout"], from: source, to: target.descriptor)
    }

    private static func run(_ arguments: [String], from source: String, to output: Int32) throws {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw SystemError("opening \(source)") }
        defer { close(input) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        // What it says of itself is of no help to whoever does not know that it is used.
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var argumentPointers = arguments.map { strdup($0) } + [nil]
        // Of the environment it needs nothing, and secrets may stand there.
        var noEnvironment: [UnsafeMutablePointer<CChar>?] = [nil]
        defer { for pointer in argumentPointers { free(pointer) } }
        var processID = pid_t()
        let started = posix_spawnp(&processID, "gzip", &actions, nil, &argumentPointers, &noEnvironment)
        guard started == 0 else {
            throw Failure(
                description: "the program gzip cannot be started: \(String(cString: strerror(started))); install it")
        }
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0 {
            guard errno == EINTR else { throw SystemError("waiting for gzip") }
        }
        guard status == 0 else {
            let isUnpacking = arguments.contains("--decompress")
            throw Failure(
                description: isUnpacking
                    ? "\(source) cannot be unpacked: it is no whole gzip file, or the disk is full"
                    : "\(source) cannot be packed: is the disk full?")
        }
    }
}
