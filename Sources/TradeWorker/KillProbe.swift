import Glibc
import TradingCore

/// Ends the process with SIGKILL when a point is passed for the n-th time: how the tests of recovery make a real process
/// die exactly there. Set by `TRADE_EXECUTOR_KILL_AT=point:n`; unset, as everywhere but in those tests, it is not made.
final class KillProbe: WorkerProbe {
    static let variable = "TRADE_EXECUTOR_KILL_AT"
    private let point: DeathPoint
    private var passesLeft: Int

    /// Nil where the variable is not set.
    /// - Throws: When it is set to what is no point.
    init?(_ environment: [String: String]) throws(WorkerProcess.Failure) {
        guard let text = environment[KillProbe.variable] else { return nil }
        let parts = text.split(separator: ":")
        guard parts.count == 2, let point = DeathPoint(rawValue: String(parts[0])), !point.isInsideTransfer,
            let passes = Int(parts[1]), passes > 0
        else {
            let points = DeathPoint.allCases.filter { !$0.isInsideTransfer }.map(\.rawValue).joined(separator: ", ")
            throw WorkerProcess.Failure(
                description: "\(KillProbe.variable) must be point:n, where point is one of \(points)")
        }
        self.point = point
        passesLeft = passes
    }

    func pass(_ point: DeathPoint) {
        guard point == self.point else { return }
        passesLeft -= 1
        if passesLeft == 0 { kill(getpid(), SIGKILL) }
    }
}
