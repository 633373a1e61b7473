import Glibc

/// A program that every Debian has, and that makes one file of another.
enum FileFilter {
    /// Why the program was not started.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs it until its end.
    /// - Parameters:
    ///   - arguments: Its name, which is looked for in `PATH`, and its arguments.
    ///   - source: The file that is its standard input.
    ///   - output: Its standard output.
    /// - Returns: Whether it says that all went well.
    static func run(_ arguments: [String], from source: String, to output: Int32) throws -> Bool {
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
        let started = posix_spawnp(&processID, arguments[0], &actions, nil, &argumentPointers, &noEnvironment)
        guard started == 0 else {
            throw Failure(
                description:
                    "the program \(arguments[0]) cannot be started: \(String(cString: strerror(started))); install it")
        }
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0 {
            guard errno == EINTR else { throw SystemError("waiting for \(arguments[0])") }
        }
        return status == 0
    }
}
