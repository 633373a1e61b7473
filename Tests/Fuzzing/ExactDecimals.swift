import TradingCore

/// Two decimals, separated by a space: each is taken or refused as the rule says and keeps its text, and comparing and
/// adding them is right to the last digit.
func checkExactDecimal(_ bytes: [UInt8]) throws {
    let texts = bytes.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
    for text in texts {
        let decimal = ExactDecimal(text)
        try expect((decimal != nil) == isPlainDecimal(text), "a plain decimal is taken, and nothing else is")
        if let decimal { try check(decimal, text) }
    }
    guard texts.count == 2, let left = ExactDecimal(texts[0]), let right = ExactDecimal(texts[1]) else { return }
    let (order, leftDigits, rightDigits) = compared(left.text, right.text)
    try expect((left == right) == (order == 0), "equal are those whose digits are: \(leftDigits) \(rightDigits)")
    try expect((left < right) == (order < 0), "less is the one whose digits are: \(leftDigits) \(rightDigits)")
    try expect((right < left) == (order > 0), "less is the one whose digits are: \(rightDigits) \(leftDigits)")
    let sum = left + right
    try expect(isSameText(sum.text, (right + left).text), "the order of a sum does not matter")
    try expect(sum.withoutTrailingZeros.text == sum.text, "a sum has no trailing zeros")
    try expect(sum - right == left && sum - left == right, "what was added can be taken away again")
    if isPlainDecimal(sum.text) { try check(sum, sum.text) }
}

private func check(_ decimal: ExactDecimal, _ text: String) throws {
    try expect(isSameText(decimal.text, text), "a decimal keeps its text")
    let digits = text.utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") }
    let isZero = digits.allSatisfy { $0 == UInt8(ascii: "0") }
    try expect(decimal.isZero == isZero, "zero is what has no other digit")
    try expect(decimal.isPositive == (!isZero && !text.hasPrefix("-")), "positive is what has no sign and is not zero")
    let fraction = text.utf8.split(separator: UInt8(ascii: ".")).dropFirst().first
    try expect(decimal.scale == fraction?.count ?? 0, "the scale is the number of digits after the point")
    try expect(
        decimal.isWhole == (fraction?.allSatisfy { $0 == UInt8(ascii: "0") } ?? true), "whole is what has no fraction")
    let short = decimal.withoutTrailingZeros
    try expect(short == decimal, "trailing zeros do not matter")
    try expect(ExactDecimal(short.text)?.text == short.text, "the shorter text reads as itself")
    try expect(decimal + .zero == decimal && decimal - decimal == .zero, "zero adds nothing")
    let isAmount = decimal.isPositive && decimal.scale <= 9
    try expect((Quantity(decimal) != nil) == isAmount, "a quantity is positive and no finer than the broker takes it")
    try expect((Notional(decimal) != nil) == isAmount, "an amount of money too")
}

/// The rule of `ExactDecimal.init`, in other words.
private func isPlainDecimal(_ text: String) -> Bool {
    let parts = (text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...])
        .split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    let areDigits = parts.allSatisfy { part in
        !part.isEmpty && part.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
    guard areDigits, let whole = parts.first, whole.count == 1 || whole.first != UInt8(ascii: "0") else { return false }
    return whole.count <= 19 && (parts.count == 1 || parts.count == 2 && parts[1].count <= 18)
}

/// How two plain decimals compare, found on their digits alone: less than, equal to or greater than zero.
private func compared(_ left: String, _ right: String) -> (order: Int, left: String, right: String) {
    func digits(_ text: String) -> (isNegative: Bool, text: String) {
        let parts = text.drop { $0 == "-" }.split(separator: ".").map(String.init)
        let fraction = parts.count == 2 ? parts[1] : ""
        let padded =
            String(repeating: "0", count: 19 - parts[0].count) + parts[0] + fraction
            + String(repeating: "0", count: 18 - fraction.count)
        return (text.hasPrefix("-") && padded.contains { $0 != "0" }, padded)
    }
    let (one, other) = (digits(left), digits(right))
    let order: Int
    switch (one.isNegative, other.isNegative) {
    case (true, false): order = -1
    case (false, true): order = 1
    case (let negative, _):
        let ofDigits = one.text == other.text ? 0 : one.text < other.text ? -1 : 1
        order = negative ? -ofDigits : ofDigits
    }
    return (order, one.text, other.text)
}
