import Glibc
import HostSystem
import TradingCore

/// Lines on standard error.
struct MonitorLog: Sendable {
    func line(_ text: String) {
        let safe = text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : String($0) }.joined()
        let bytes = Array("\(SystemClock().now().text) \(safe)\n".utf8)
        // A remark that nobody can read is no reason to stop.
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
