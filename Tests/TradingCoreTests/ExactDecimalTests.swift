import Testing
import TradingCore

@Suite("A decimal number")
struct ExactDecimalTests {
    @Test(
        "keeps its text to the letter",
        arguments: ["0", "1", "0.5", "150.250", "-1.25", "0.000000001", "12345678901.123456789", "1.10"])
    func keepsText(_ text: String) throws {
        #expect(try #require(ExactDecimal(text)).text == text)
    }

    @Test(
        "is refused in any other form",
        arguments: [
            "", "-", ".", "1.", ".5", "+1", " 1", "1 ", "1e3", "0x10", "1,5", "1.2.3", "1abc", "NaN", "007", "00.1",
            "12345678901234567890", "0.1234567890123456789", "--1", "1-",
        ])
    func refused(_ text: String) {
        #expect(ExactDecimal(text) == nil)
    }

    @Test("is compared by value, whatever its form")
    func comparison() throws {
        let a = try #require(ExactDecimal("1.50"))
        let b = try #require(ExactDecimal("1.5"))
        let c = try #require(ExactDecimal("-2"))
        #expect(a == b)
        #expect(c < a)
        #expect(try #require(ExactDecimal("0.9")) < a)
        #expect(try #require(ExactDecimal("-0.00")).isZero)
    }

    @Test(
        "is added and subtracted without rounding",
        arguments: [
            ("0.1", "0.2", "0.3", "-0.1"), ("99.995", "0.005", "100", "99.99"), ("1", "2.50", "3.5", "-1.5"),
            ("9999999999999999999", "0.000000001", "9999999999999999999.000000001", "9999999999999999998.999999999"),
        ])
    func sums(_ left: String, _ right: String, _ sum: String, _ difference: String) throws {
        let (left, right) = try (#require(ExactDecimal(left)), #require(ExactDecimal(right)))
        #expect((left + right).text == sum)
        #expect((left - right).text == difference)
    }

    @Test("knows whether it is whole")
    func whole() throws {
        #expect(try #require(ExactDecimal("100.00")).isWhole)
        #expect(!(try #require(ExactDecimal("0.5")).isWhole))
    }
}
