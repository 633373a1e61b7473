package import StrictJSON

extension JSONWriter {
    /// Writes a member whose value is stored as JSON. What is not JSON, which the worker never writes, becomes a string.
    package mutating func member(_ name: StaticString, json text: String?) {
        key(name)
        guard let text else { return null() }
        do {
            try JSONValue(parsing: text).write(to: &self)
        } catch {
            string(text)
        }
    }
}
