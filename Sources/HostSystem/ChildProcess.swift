import Glibc

/// Another program, started by this one, whose standard output is read line by line.
package final class ChildProcess {
    private let processID: pid_t
    private let output: Int32
    private var unread: [UInt8] = []
    private var exitStatus: Int32?

    /// Starts a program. It inherits the environment with `changes` made, standard error, and no blocked signals.
    package init(_ path: String, _ arguments: [String], changes: [String: String] = [:]) throws(SystemError) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemError("making a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let environment = ProcessEnvironment.all().merging(changes) { _, new in new }
        var argumentPointers = ([path] + arguments).map { strdup($0) } + [nil]
        var environmentPointers = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer {
            for pointer in argumentPointers + environmentPointers { free(pointer) }
        }
        var processID = pid_t()
        let result = posix_spawn(&processID, path, &actions, &attributes, &argumentPointers, &environmentPointers)
        close(ends[1])
        guard result == 0 else {
            close(ends[0])
            throw SystemError("starting \(path)", number: result)
        }
        self.processID = processID
        output = ends[0]
    }

    deinit { close(output) }

    /// Its number among the system's processes.
    package var id: Int32 { processID }

    /// The next line of its output; nil at the end of the output or after `milliseconds` without one.
    package func readLine(milliseconds: Int32) throws(SystemError) -> String? {
        while true {
            if let end = unread.firstIndex(of: 0x0A) {
                defer { unread.removeFirst(end + 1) }
                return String(decoding: unread[..<end], as: UTF8.self)
            }
            var descriptor = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            let ready = poll(&descriptor, 1, milliseconds)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(output, &buffer, buffer.count)
            guard count >= 0 else { throw SystemError("reading a program's output") }
            if count == 0 { return nil }
            unread.append(contentsOf: buffer[..<count])
        }
    }

    /// Whether it still runs.
    package var isRunning: Bool {
        if exitStatus != nil { return false }
        var status: Int32 = 0
        guard waitpid(processID, &status, WNOHANG) == processID else { return true }
        exitStatus = status
        return false
    }

    package enum Signal {
        /// A request to stop.
        case terminate
        /// Ends it at once, without its doing anything.
        case kill
        /// Freezes it.
        case stop
        /// Lets it go on.
        case proceed

        fileprivate var number: Int32 {
            switch self {
            case .terminate: SIGTERM
            case .kill: SIGKILL
            case .stop: SIGSTOP
            case .proceed: SIGCONT
            }
        }
    }

    package func send(_ signal: Signal) {
        // A process whose end was taken note of may have given its number to another one.
        if isRunning { kill(processID, signal.number) }
    }

    /// Waits until it has ended. Its exit code; nil where a signal ended it.
    @discardableResult
    package func waitUntilExit() -> Int32? {
        if exitStatus == nil {
            var status: Int32 = 0
            while waitpid(processID, &status, 0) < 0, errno == EINTR {}
            exitStatus = status
        }
        // As wait(2) encodes it: the low seven bits are the signal, the next byte is the code.
        return exitStatus.flatMap { $0 & 0x7F == 0 ? $0 >> 8 & 0xFF : nil }
    }

    /// Asks it to stop, and waits until it has.
    package func stop() {
        send(.terminate)
        waitUntilExit()
    }
}
