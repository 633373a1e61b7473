import CLinux
import Glibc
import TradingCore

/// How many descriptors the process may have open.
package enum ProcessDescriptors {
    /// What the worker needs beside connections of its sockets.
    private static let own = 64

    /// Puts /dev/null where standard input, output or error is closed. The next file or connection would get its number
    /// otherwise, and what is meant for a log would be written into it.
    package static func fillStandard() throws(SystemError) {
        for standard in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(standard, F_GETFD) < 0 {
            // It gets the lowest number that is free, which is this one.
            guard open("/dev/null", O_RDWR) == standard else { throw SystemError("opening /dev/null") }
        }
    }

    /// Lets the process have as many as the system allows it, so that connections are bounded by rule and not by failure:
    /// ZeroMQ spins when it can accept no more.
    package static func raiseLimit() throws(SystemError) {
        var limit = try current()
        guard limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw SystemError("raising the limit of open files")
        }
    }

    /// How many connections each of so many sockets may have.
    static func connectionsMax(sockets: Int) throws(SystemError) -> Int {
        let limit = try current().rlim_cur
        let free = Int(clamping: limit) - own
        return max(1, min(ConnectionRules.connectionsMax, free / (2 * sockets)))
    }

    private static func current() throws(SystemError) -> rlimit {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw SystemError("asking for the limit of open files")
        }
        return limit
    }
}
