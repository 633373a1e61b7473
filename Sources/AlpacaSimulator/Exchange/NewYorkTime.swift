package import TradingCore

/// The hours of the New York exchanges, as far as a simulated clock needs them: Monday to Friday, 9:30 to 16:00,
/// without holidays.
package enum NewYorkTime {
    private static let day: Int64 = 86_400_000_000_000
    private static let hour: Int64 = 3_600_000_000_000

    /// Hours from UTC: -4 from the second Sunday of March to the first Sunday of November, else -5.
    static func offsetHours(at time: Timestamp) -> Int64 {
        let year = time.text.prefix(4)
        guard let march = Timestamp("\(year)-03-01T07:00:00Z"), let november = Timestamp("\(year)-11-01T06:00:00Z")
        else { preconditionFailure("the first of a month is a date") }
        let start = march.nanoseconds + (daysToSunday(march) + 7) * day
        let end = november.nanoseconds + daysToSunday(november) * day
        return time.nanoseconds >= start && time.nanoseconds < end ? -4 : -5
    }

    /// RFC 3339 with New York's offset, as the clock of Alpaca answers.
    package static func text(_ time: Timestamp) -> String {
        let offset = offsetHours(at: time)
        let local = Timestamp(nanoseconds: time.nanoseconds + offset * hour).brokerText
        return "\(local.dropLast())-0\(-offset):00"
    }

    /// The first opening (9:30) after `time`.
    package static func nextOpen(after time: Timestamp) -> Timestamp { next(halfHours: 19, after: time) }

    /// The first close (16:00) after `time`.
    package static func nextClose(after time: Timestamp) -> Timestamp { next(halfHours: 32, after: time) }

    private static func next(halfHours: Int64, after time: Timestamp) -> Timestamp {
        let offset = offsetHours(at: time) * hour
        var midnight = floored((time.nanoseconds + offset), day)
        while true {
            let moment = Timestamp(nanoseconds: midnight + halfHours * hour / 2 - offset)
            if moment > time, (1...5).contains(weekday(midnight)) { return moment }
            midnight += day
        }
    }

    private static func daysToSunday(_ time: Timestamp) -> Int64 { (7 - weekday(time.nanoseconds)) % 7 }

    /// 0 for Sunday to 6 for Saturday; 1970-01-01 was a Thursday.
    private static func weekday(_ nanoseconds: Int64) -> Int64 { (floored(nanoseconds, day) / day + 4) % 7 }

    private static func floored(_ value: Int64, _ unit: Int64) -> Int64 {
        value >= 0 ? value / unit * unit : (value - unit + 1) / unit * unit
    }
}

extension NewYorkTime {
    /// `YYYYMMDDhhmmssmmm` in New York, the first part of an activity's id.
    static func digits(_ time: Timestamp) -> String {
        let local = Timestamp(nanoseconds: time.nanoseconds + offsetHours(at: time) * 3_600_000_000_000)
        return String(local.text.filter(\.isNumber).prefix(17))
    }
}
