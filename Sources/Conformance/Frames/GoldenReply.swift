import StrictJSON

extension GoldenFrame.Step {
    /// Holds an answer against what is owed.
    /// - Parameters:
    ///   - unique: What `{unique}` stands for in this run.
    ///   - first: The answer to the entry's first step.
    func check(_ answer: JSONValue, unique: String, first: JSONValue) throws(Deviation) {
        for member in reply {
            let wanted = member.value.filled(unique: unique)
            try expect(
                answer[member.key]?.inOrder == wanted.inOrder, "\"\(member.key)\":\(wanted.text)", seen: answer.text)
        }
        if let messageContains {
            try expect(
                answer["message"]?.string?.contains(messageContains) ?? false,
                "a message that says: \(messageContains)",
                seen: answer.text)
        }
        for key in sameAsFirst {
            let wanted = first[key] ?? .null
            try expect(answer[key] == wanted, "\"\(key)\":\(wanted.text), as in the first answer", seen: answer.text)
        }
    }
}

extension JSONValue {
    /// The same value with the members of all objects in one order, so that equal contents are equal.
    var inOrder: JSONValue {
        switch self {
        case .null, .bool, .number, .string: self
        case .array(let elements): .array(elements.map(\.inOrder))
        case .object(let members):
            .object(members.map { Member($0.key, $0.value.inOrder) }.sorted { $0.key < $1.key })
        }
    }

    fileprivate func filled(unique: String) -> JSONValue {
        switch self {
        case .null, .bool, .number: self
        case .string(let text): .string(text.replacing("{unique}", with: unique))
        case .array(let elements): .array(elements.map { $0.filled(unique: unique) })
        case .object(let members): .object(members.map { Member($0.key, $0.value.filled(unique: unique)) })
        }
    }
}
