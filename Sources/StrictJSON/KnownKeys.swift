/// A closed list of keys, and which of them a key is: found at a glance instead of by comparing with each.
package struct KnownKeys: Sendable {
    private let names: [StaticString]
    /// For each glance the keys that look like it, as indexes of `names`.
    private let byGlance: [[Int]]

    package init(_ names: [StaticString]) {
        self.names = names
        var byGlance = [[Int]](repeating: [], count: 64)
        for (index, name) in names.enumerated() {
            let bytes = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            byGlance[Int(JSONToken(bytes: bytes, hasEscapes: false).glance)].append(index)
        }
        self.byGlance = byGlance
    }

    /// The key's place in the list; nil if it is none of them.
    package func index(of key: JSONToken) -> Int? {
        if key.hasEscapes { return names.firstIndex { $0 ~= key } }
        for index in byGlance[Int(key.glance)] where names[index] ~= key { return index }
        return nil
    }
}
