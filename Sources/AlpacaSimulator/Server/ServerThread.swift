import Glibc

/// A thread of its own for blocking work. The server keeps off Swift's cooperative threads: there are only as many of
/// those as cores, and a test that blocks them all would starve a server in the same process.
enum ServerThread {
    private final class Work {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// - Returns: False if the system gives no more threads.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let work = Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, work.toOpaque())
        guard code == 0 else {
            work.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// Sleeps in short pieces, and stops doing so when told.
    static func pause(milliseconds: Int64, unless isStopping: () -> Bool) {
        var left = milliseconds
        while left > 0, !isStopping() {
            let piece = min(left, 20)
            usleep(UInt32(piece * 1000))
            left -= piece
        }
    }
}
