import Testing
import TradingCore

@Suite("A moment of the calendar")
struct TimestampTests {
    @Test(
        "is read in every form the broker uses",
        arguments: [
            ("2026-11-22T14:30:01.123456Z", "2026-11-22T14:30:01.123456Z"),
            ("2026-11-22T14:30:01Z", "2026-11-22T14:30:01.000000Z"),
            ("2026-11-14T15:10:18.0952164Z", "2026-11-14T15:10:18.095216Z"),
            ("2026-11-14T15:10:18.094153596Z", "2026-11-14T15:10:18.094153Z"),
            ("2026-11-14T10:10:18.5-05:00", "2026-11-14T15:10:18.500000Z"),
            ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000000Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"),
        ])
    func reads(_ text: String, _ expected: String) throws {
        #expect(try #require(Timestamp(text)).text == expected)
    }

    @Test(
        "is refused where it is none",
        arguments: [
            "", "2026-11-22", "2026-11-22T14:30:01", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
            "2026-11-22 14:30:01Z", "2026-11-22T24:00:00Z", "2026-11-22T14:30:01.Z", "2026-11-22T14:30:01.1234567890Z",
            "2026-11-22T14:30:01Zx", "2026-11-22t14:30:01z", "2026-11-22T14:30:01+0500", "99999-01-01T00:00:00Z",
            "1700-01-01T00:00:00+00:01", "2200-12-31T23:59:59-00:01",
        ])
    func refuses(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("comes back from its own text, all over the calendar")
    func roundTrip() throws {
        for day in stride(from: Int64(-90_000), to: 80_000, by: 37) {
            let moment = Timestamp(nanoseconds: day * 86_400_000_000_000 + 12_345_678_000)
            #expect(Timestamp(moment.text) == moment)
        }
    }
}
