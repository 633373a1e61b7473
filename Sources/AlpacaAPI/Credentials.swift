/// The key and secret of an Alpaca account. It prints as `<secret>`, whatever prints it.
package struct Credentials: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let keyID: String
    private let secretKey: String
    let redaction: Redaction

    /// Nil where either is empty or holds characters that cannot stand in a header.
    package init?(keyID: String, secretKey: String) {
        func isHeaderValue(_ text: String) -> Bool {
            !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }
        guard isHeaderValue(keyID), isHeaderValue(secretKey) else { return nil }
        self.keyID = keyID
        self.secretKey = secretKey
        redaction = Redaction(of: [keyID, secretKey])
    }

    /// Writes a star over each byte of the key id and of the secret wherever they stand, so that an answer that quotes the
    /// request's headers, or a message, can be kept without them.
    /// - Parameter mayBeCut: Whether the bytes may end within one of them, of which the beginning is hidden then. Not for
    ///   what somebody sends who learns whether anything was found: he could try one character after the other.
    /// - Returns: Whether either stood there.
    package func redact(_ bytes: inout [UInt8], mayBeCut: Bool) -> Bool {
        redaction.apply(to: &bytes, mayBeCut: mayBeCut)
    }

    /// The header lines that authenticate a request (source: Alpaca, "Authentication").
    package var headerLines: [String] {
        ["APCA-API-KEY-ID: \(keyID)", "APCA-API-SECRET-KEY: \(secretKey)"]
    }

    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
