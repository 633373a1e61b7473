/// Which names this monitor may be called by. A page elsewhere can make a browser ask for it under a name of its own that
/// leads here (DNS rebinding); such a name is in the `Host` header. An address or `localhost` cannot be such a name.
struct AllowedHosts: Sendable {
    private let names: Set<String>

    init(names: [String]) {
        self.names = Set(names.map { $0.lowercased() } + ["localhost"])
    }

    /// - Parameter header: The `Host` header.
    func allow(_ header: String?) -> Bool {
        guard let header, !header.isEmpty, header.utf8.count <= 300 else { return false }
        let host = AllowedHosts.withoutPort(header.lowercased())
        return names.contains(host) || AllowedHosts.isAddress(host)
    }

    private static func withoutPort(_ header: String) -> String {
        if header.hasPrefix("["), let end = header.firstIndex(of: "]") { return String(header[...end]) }
        return String(header.prefix { $0 != ":" })
    }

    private static func isAddress(_ host: String) -> Bool {
        if host.hasPrefix("["), host.hasSuffix("]") {
            return host.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                    && UInt8(part) != nil
            }
    }
}
