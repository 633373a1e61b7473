/// Why bytes are not the JSON that is asked for. `offset` counts bytes from the start of the text.
package enum JSONError: Error, Equatable, CustomStringConvertible {
    case notUTF8
    case syntax(offset: Int, expected: String)
    case tooDeep(limit: Int)
    case duplicateKey(String)

    package var description: String {
        switch self {
        case .notUTF8: "not valid UTF-8"
        case .syntax(let offset, let expected): "not JSON at byte \(offset): expected \(expected)"
        case .tooDeep(let limit): "nested deeper than \(limit) levels"
        case .duplicateKey(let key): "the key \"\(key)\" stands twice in one object"
        }
    }
}
