import Glibc
import HostSystem
import TradingCore

/// Ends the process with SIGKILL at a point of a backup or a restoration: how the tests make a real process die exactly
/// there. Set by `TRADE_EXECUTOR_KILL_AT=point`; unset, as everywhere but in those tests, it does nothing.
enum CopyKill {
    static func fromEnvironment() throws -> (CopyPoint) -> Void {
        let variable = "TRADE_EXECUTOR_KILL_AT"
        guard let text = ProcessEnvironment.all()[variable] else { return { _ in } }
        guard let chosen = CopyPoint(rawValue: text) else {
            let points = CopyPoint.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure("\(variable) must be one of \(points)")
        }
        return { point in
            if point == chosen { kill(getpid(), SIGKILL) }
        }
    }
}
