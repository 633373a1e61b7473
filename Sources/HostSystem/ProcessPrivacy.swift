import CLinux
import Glibc

package enum ProcessPrivacy {
    /// New files, the database among them, are for this user and its group.
    package static func keepNewFilesFromOthers() { umask(0o027) }

    /// Keeps credentials in memory out of core dumps, out of reports of crashes and out of reach of other processes of the
    /// same user, and the keys of TLS out of the file that the environment may name for them.
    package static func begin() throws(SystemError) {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
            throw SystemError("forbidding core dumps")
        }
        guard clinux_set_dumpable(0) == 0 else { throw SystemError("forbidding core dumps") }
        unsetenv("SSLKEYLOGFILE")
        // What Swift writes to standard error of a crash shows the memory that registers point at. Who wants it says so
        // in this variable, with `enable=yes,registers=none` for what is fit to be kept.
        guard getenv("SWIFT_BACKTRACE") == nil else { return }
        for number in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] { signal(number, SIG_DFL) }
    }
}
