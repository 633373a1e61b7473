import CLinux
import Glibc

/// SIGTERM, SIGINT and, unless it is ignored, SIGHUP as something to wait for, so that no signal interrupts a write.
///
/// To be made before any thread is started: threads inherit which signals are blocked.
package final class StopSignals {
    /// Readable once a signal has come.
    package let descriptor: Int32

    package init() throws(SystemError) {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        // A terminal that is closed. One that is ignored, by `nohup`, would still come here if it were blocked.
        if clinux_ignores(SIGHUP) == 0 { sigaddset(&signals, SIGHUP) }
        guard pthread_sigmask(SIG_BLOCK, &signals, nil) == 0 else { throw SystemError("blocking signals") }
        descriptor = signalfd(-1, &signals, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError("opening a signal descriptor") }
        signal(SIGPIPE, SIG_IGN)
        // Where files may not grow any more, a write fails like any other; the process goes on.
        signal(SIGXFSZ, SIG_IGN)
    }

    deinit { close(descriptor) }

    /// Whether a signal has come since this was last asked.
    package func hasArrived() -> Bool {
        var information = signalfd_siginfo()
        return read(descriptor, &information, MemoryLayout<signalfd_siginfo>.size) > 0
    }
}
