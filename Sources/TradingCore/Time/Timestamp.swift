/// A moment of the calendar, UTC, in nanoseconds since 1970-01-01T00:00:00Z. Good for the years 1678 to 2262.
///
/// For what a person or another machine reads. Durations are measured with `MonotonicTime`, since calendars jump.
package struct Timestamp: Hashable, Comparable, Sendable {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    package func advanced(bySeconds seconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: nanoseconds + seconds * 1_000_000_000)
    }

    /// Its UTC day, in days since 1970.
    package var day: Int64 { nanoseconds.quotientAndRemainderFloored(by: 86_400_000_000_000).quotient }

    /// The first moment of a UTC day.
    package init(day: Int64) { self.init(nanoseconds: day * 86_400_000_000_000) }

    // MARK: Text

    /// `2026-11-22T14:30:01.123456Z`: the one form in which times are stored and published. What is finer than a
    /// microsecond is cut off.
    package var text: String {
        let (days, ofDay) = nanoseconds.quotientAndRemainderFloored(by: 86_400_000_000_000)
        let date = CalendarDate(daysSince1970: days)
        let second = ofDay / 1_000_000_000
        return String(unsafeUninitializedCapacity: 27) { buffer in
            func put(_ twoDigits: Int64, at index: Int) {
                let value = UInt8(truncatingIfNeeded: twoDigits)
                buffer[index] = UInt8(ascii: "0") + value / 10
                buffer[index + 1] = UInt8(ascii: "0") + value % 10
            }
            put(date.year / 100, at: 0)
            put(date.year % 100, at: 2)
            buffer[4] = UInt8(ascii: "-")
            put(date.month, at: 5)
            buffer[7] = UInt8(ascii: "-")
            put(date.day, at: 8)
            buffer[10] = UInt8(ascii: "T")
            put(second / 3600, at: 11)
            buffer[13] = UInt8(ascii: ":")
            put(second / 60 % 60, at: 14)
            buffer[16] = UInt8(ascii: ":")
            put(second % 60, at: 17)
            buffer[19] = UInt8(ascii: ".")
            let microsecond = ofDay / 1000 % 1_000_000
            put(microsecond / 10_000, at: 20)
            put(microsecond / 100 % 100, at: 22)
            put(microsecond % 100, at: 24)
            buffer[26] = UInt8(ascii: "Z")
            return 27
        }
    }

    /// Reads RFC 3339: `2026-11-22T14:30:01Z`, with up to nine digits of a second's fraction, and an offset such as
    /// `-05:00` in place of `Z`. Nil for anything else.
    package init?(_ text: String) {
        self.init(Array(text.utf8))
    }

    private init?(_ bytes: [UInt8]) {
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return value
        }
        func has(_ character: Unicode.Scalar, at index: Int) -> Bool {
            index < bytes.count && bytes[index] == UInt8(ascii: character)
        }
        guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), has("-", at: 7),
            let day = number(8..<10), has("T", at: 10), let hour = number(11..<13), has(":", at: 13),
            let minute = number(14..<16), has(":", at: 16), let second = number(17..<19),
            (1700...2200).contains(year), (1...12).contains(month), hour < 24, minute < 60, second < 60,
            let date = CalendarDate(year: year, month: month, day: day)
        else { return nil }

        var index = 19
        var fraction: Int64 = 0
        if has(".", at: index) {
            var weight: Int64 = 100_000_000
            index += 1
            let start = index
            while let digit = number(index..<index + 1) {
                fraction += digit * weight
                weight /= 10
                index += 1
            }
            guard (1...9).contains(index - start) else { return nil }
        }

        var offset: Int64 = 0
        if has("Z", at: index) {
            index += 1
        } else if has("+", at: index) || has("-", at: index) {
            guard let hours = number(index + 1..<index + 3), has(":", at: index + 3),
                let minutes = number(index + 4..<index + 6), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * 60 * (bytes[index] == UInt8(ascii: "-") ? -1 : 1)
            index += 6
        } else {
            return nil
        }
        guard index == bytes.count else { return nil }
        let seconds = date.daysSince1970 * 86400 + hour * 3600 + minute * 60 + second - offset
        // An offset may lead out of the years that are read; what is taken must be readable again where it is stored.
        let utcDate = CalendarDate(daysSince1970: seconds.quotientAndRemainderFloored(by: 86400).quotient)
        guard (1700...2200).contains(utcDate.year) else { return nil }
        self.nanoseconds = seconds * 1_000_000_000 + fraction
    }
}

/// A day of the Gregorian calendar. The arithmetic counts years from March, so that a leap day is a year's last.
private struct CalendarDate {
    let year: Int64
    let month: Int64
    let day: Int64

    init(daysSince1970 days: Int64) {
        // 719 468 days lie between 0000-03-01 and 1970-01-01; 146 097 days make four centuries.
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainderFloored(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Nil for a day that the month does not have.
    init?(year: Int64, month: Int64, day: Int64) {
        (self.year, self.month, self.day) = (year, month, day)
        let back = CalendarDate(daysSince1970: daysSince1970)
        guard back.year == year, back.month == month, back.day == day else { return nil }
    }

    var daysSince1970: Int64 {
        let yearFromMarch = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = yearFromMarch.quotientAndRemainderFloored(by: 400)
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Int64 {
    /// Division that rounds towards negative infinity, so that the remainder is never negative.
    fileprivate func quotientAndRemainderFloored(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
