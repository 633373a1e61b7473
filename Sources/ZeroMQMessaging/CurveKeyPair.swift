import CZeroMQ

/// A key pair of CURVE, both in Z85. It prints as its public key, whatever prints it.
package struct CurveKeyPair: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package let publicKey: String
    package let secretKey: String

    /// The pair of a secret key.
    /// - Throws: Where it is no key.
    package init(secretKey: String) throws(ZeroMQError) {
        var publicKey = CurveKeyPair.emptyText
        guard zmq_curve_public(&publicKey, secretKey) == 0 else { throw ZeroMQError("reading a key") }
        self.publicKey = CurveKeyPair.text(publicKey)
        self.secretKey = secretKey
    }

    /// A pair that nobody had before.
    package static func generate() throws(ZeroMQError) -> CurveKeyPair {
        var secretKey = emptyText
        var publicKey = emptyText
        guard zmq_curve_keypair(&publicKey, &secretKey) == 0 else { throw ZeroMQError("making a key") }
        return try CurveKeyPair(secretKey: text(secretKey))
    }

    package var description: String { publicKey }
    package var debugDescription: String { publicKey }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Forty characters, and the NUL that ends them.
    private static var emptyText: [CChar] { [CChar](repeating: 0, count: 41) }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
