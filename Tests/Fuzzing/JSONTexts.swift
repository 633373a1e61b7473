import Foundation
import StrictJSON

/// Strict JSON: what is taken is JSON for an independent reader too and says the same to it, and comes back to the byte
/// after it is written.
func checkJSON(_ bytes: [UInt8]) throws {
    let isSkipped = isJSON(bytes, refusesDuplicateKeys: true)
    guard let value = tree(bytes) else {
        try expect(!isSkipped, "what is refused when it is read is refused when it is skipped")
        return
    }
    try expect(isSkipped, "what is taken when it is read is taken when it is skipped")

    let text = value.text
    let again = try JSONValue(parsing: text)
    try expect(isSame(again, value), "what is written reads the same again")
    try expect(isSameText(again.text, text), "what is written the second time is written as the first time")
    try expect(tree(bytes, depthLimit: 8).map { isSame($0, value) } ?? true, "a lower limit changes no value")

    // Foundation drops byte order marks inside of strings.
    guard hasOrdinaryNumbers(value), !text.unicodeScalars.contains("\u{FEFF}") else { return }
    let independent = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    try expect(agrees(value, independent), "an independent reader finds the same: \(value.text), \(independent)")
}

/// The tree of a text; nil where it is no strict JSON.
func tree(_ bytes: [UInt8], depthLimit: Int = 32) -> JSONValue? {
    do {
        return try JSONValue(parsing: bytes, depthLimit: depthLimit)
    } catch {
        return nil
    }
}

/// Whether two trees are the same to the byte. `==` takes differently composed letters for equal.
func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.number(let left), .number(let right)), (.string(let left), .string(let right)): isSameText(left, right)
    case (.array(let left), .array(let right)): left.count == right.count && zip(left, right).allSatisfy(isSame)
    case (.object(let left), .object(let right)):
        left.count == right.count
            && zip(left, right).allSatisfy { isSameText($0.key, $1.key) && isSame($0.value, $1.value) }
    default: false
    }
}

/// Whether two texts are the same to the byte.
func isSameText(_ left: String?, _ right: String?) -> Bool {
    guard let left, let right else { return left == nil && right == nil }
    return left.utf8.elementsEqual(right.utf8)
}

extension JSONValue {
    /// The value of a member that is there and not null.
    func present(_ key: String) -> JSONValue? {
        self[key].flatMap { $0.isNull ? JSONValue?.none : $0 }
    }

    /// An amount as it stands in the text: the content of a string or the literal of a number.
    var amountText: String? {
        if case .number(let literal) = self { return literal }
        return string
    }
}

/// Whether the bytes pass the reader without being taken apart.
func isJSON(_ bytes: [UInt8], refusesDuplicateKeys: Bool) -> Bool {
    bytes.withUnsafeBytes { buffer in
        do {
            var reader = try JSONReader(buffer, refusesDuplicateKeys: refusesDuplicateKeys)
            try reader.skipValue()
            try reader.finish()
            return true
        } catch {
            return false
        }
    }
}

/// Whether the independent reader, which rounds, has all numbers within its reach.
private func hasOrdinaryNumbers(_ value: JSONValue) -> Bool {
    switch value {
    case .null, .bool, .string: true
    case .number(let literal):
        literal.utf8.count <= 15 && (Double(literal).map { $0 == 0 || (1e-30...1e30).contains(abs($0)) } ?? false)
    case .array(let elements): elements.allSatisfy(hasOrdinaryNumbers)
    case .object(let members): members.allSatisfy { hasOrdinaryNumbers($0.value) }
    }
}

private func agrees(_ value: JSONValue, _ independent: Any) -> Bool {
    switch value {
    case .null: return independent is NSNull
    case .bool(let flag): return independent as? Bool == flag
    case .number(let literal):
        guard let number = independent as? NSNumber, let expected = Double(literal) else { return false }
        return abs(number.doubleValue - expected) <= abs(expected) * 1e-12
    case .string(let text): return isSameText(independent as? String, text)
    case .array(let elements):
        guard let others = independent as? [Any], others.count == elements.count else { return false }
        return zip(elements, others).allSatisfy(agrees)
    case .object(let members):
        // Keys that only look alike are one key to Foundation, so it may have fewer.
        guard let others = independent as? [String: Any], others.count <= members.count else { return false }
        guard others.count == members.count else { return members.contains { !$0.key.utf8.allSatisfy { $0 < 0x80 } } }
        return members.allSatisfy { member in others[member.key].map { agrees(member.value, $0) } ?? false }
    }
}
