import StrictJSON
import TradingCore

/// The members of a request's body, read as leniently as Alpaca reads them: amounts as strings or numbers, null like
/// an absent key, unknown keys passed over.
struct RequestFields {
    private let object: JSONValue

    init(_ value: JSONValue) throws(BrokerRefusal) {
        guard value.members != nil else { throw .unreadableBody }
        object = value
    }

    func text(_ key: String) throws(BrokerRefusal) -> String? {
        switch object[key] {
        case nil, .null: return nil
        case .string(let text): return text.isEmpty ? nil : text
        case .bool, .number, .array, .object: throw .unreadableBody
        }
    }

    func flag(_ key: String) throws(BrokerRefusal) -> Bool {
        switch object[key] {
        case nil, .null: return false
        case .bool(let value): return value
        case .string, .number, .array, .object: throw .unreadableBody
        }
    }

    /// An amount; its text form has no trailing zeros, as answers have none.
    func amount(_ key: String) throws(BrokerRefusal) -> ExactDecimal? {
        let literal: String
        switch object[key] {
        case nil, .null: return nil
        case .string(let text):
            if text.isEmpty { return nil }
            literal = text
        case .number(let number): literal = number
        case .bool, .array, .object: throw .unreadableBody
        }
        guard let amount = ExactDecimal(jsonNumber: literal) else { throw .unreadableBody }
        // Beyond this no product of two amounts would be sure to fit into 128 bits.
        guard amount.magnitude < ExactDecimal(100_000_000) else { throw .badParameter("\(key) is too large") }
        return amount.withoutTrailingZeros
    }

    func fields(_ key: String) throws(BrokerRefusal) -> RequestFields? {
        switch object[key] {
        case nil, .null: return nil
        case .some(let value): return try RequestFields(value)
        }
    }

    func list(_ key: String) throws(BrokerRefusal) -> [RequestFields]? {
        switch object[key] {
        case nil, .null: return nil
        case .array(let elements):
            var list: [RequestFields] = []
            for element in elements { list.append(try RequestFields(element)) }
            return list
        case .bool, .number, .string, .object: throw .unreadableBody
        }
    }

    /// A word of a closed list; `message` refuses every other word, and its absence.
    func word<Word: RawRepresentable<String>>(
        _ key: String, orRefuse message: String
    ) throws(BrokerRefusal) -> Word {
        guard let text = try text(key), let word = Word(rawValue: text) else { throw .badParameter(message) }
        return word
    }
}
