/// Where the broker is: `https://host[:port]`, or `http://` for this very machine.
package struct BrokerURL: Equatable, Sendable, CustomStringConvertible {
    /// Without a slash at the end.
    package let text: String
    /// Whether the broker is on this machine, that is, a simulator.
    package let isLoopback: Bool
    /// Whether it is spoken to over TLS.
    package let isEncrypted: Bool

    package static let paper = "https://paper-api.alpaca.markets"

    /// Why a text is not a broker's address.
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
    }

    package init(_ text: String) throws(Problem) {
        var text = text[...]
        // Not quoted: what stands before the @ is meant to be secret.
        guard !text.utf8.contains(UInt8(ascii: "@")) else {
            throw Problem(description: "must be a host and perhaps a port, without a user or a password")
        }
        while text.hasSuffix("/") { text = text.dropLast() }
        let isPlain = text.hasPrefix("http://")
        guard isPlain || text.hasPrefix("https://") else {
            throw Problem(description: "\(text) must begin with https://")
        }
        let authority = text.dropFirst(isPlain ? 7 : 8)
        guard !authority.isEmpty,
            authority.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"),
                    UInt8(ascii: "["), UInt8(ascii: "]"):
                    true
                default: false
                }
            })
        else { throw Problem(description: "\(text) must be a host and perhaps a port, without a path") }
        isEncrypted = !isPlain
        isLoopback = BrokerURL.isLoopback(authority)
        guard !isPlain || isLoopback else {
            throw Problem(description: "\(text) is not encrypted; http:// is for this machine only, use https://")
        }
        self.text = String(text)
    }

    /// Whether `host` or `host:port` can be nowhere but on this machine. The port may be `*`.
    package static func isLoopback(_ authority: Substring) -> Bool {
        let host = authority.hasPrefix("[::1]") ? "[::1]" : authority.prefix { $0 != ":" }
        let port = authority.dropFirst(host.count)
        guard
            port.isEmpty
                || port.first == ":" && port.dropFirst().utf8.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "*") })
        else { return false }
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { $0.utf8.allSatisfy(isDigit) && UInt8($0) != nil }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    package var description: String { text }
}
