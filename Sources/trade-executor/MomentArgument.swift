import ArgumentParser
import TradingCore

/// A moment on the command line: a time, a day, or how long ago.
struct MomentArgument: ExpressibleByArgument {
    private enum Form {
        case moment(Timestamp)
        case secondsAgo(Int64)
    }

    private let form: Form

    static let help = "RFC 3339 time, a day such as 2026-11-22 (UTC), or how long ago: 90s, 30m, 24h, 7d, 2w"

    init?(argument: String) {
        if let moment = Timestamp(argument) ?? Timestamp(argument + "T00:00:00Z") {
            form = .moment(moment)
            return
        }
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        // At most a hundred years, so that no clock overflows.
        guard let last = argument.last, let unit = units[last], argument.utf8.first != UInt8(ascii: "+"),
            let number = Int64(argument.dropLast()), (0...3_153_600_000 / unit).contains(number)
        else { return nil }
        form = .secondsAgo(number * unit)
    }

    func timestamp(at now: Timestamp) -> Timestamp {
        switch form {
        case .moment(let moment): moment
        case .secondsAgo(let seconds): now.advanced(bySeconds: -seconds)
        }
    }
}
