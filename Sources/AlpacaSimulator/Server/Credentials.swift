import StrictJSON
import TradingCore

/// Who may use the account.
struct Credentials: Sendable {
    /// Nil takes any key that is not empty.
    let keyID: String?
    let secret: String?

    /// The refusal of a request without credentials or with wrong ones; nil if they are right.
    ///
    /// Probed on paper on 2026-09-29: no headers at all answer nginx's page, a wrong key answers JSON without a code.
    func refusal(of request: HTTPRequest) -> HTTPAnswer? {
        if let bearer = request.headers["authorization"], !bearer.isEmpty { return refusal(ofAuthorization: bearer) }
        guard let keyID = request.headers["apca-api-key-id"], let secret = request.headers["apca-api-secret-key"] else {
            return .nginxPage(401)
        }
        return isRight(keyID, secret) ? nil : Credentials.unauthorized
    }

    private func refusal(ofAuthorization header: String) -> HTTPAnswer? {
        if header.hasPrefix("Bearer ") { return keyID == nil ? nil : Credentials.unauthorized }
        guard header.hasPrefix("Basic "), let bytes = Base64.bytes(String(header.dropFirst(6))),
            let pair = String(validating: bytes, as: UTF8.self),
            let colon = pair.firstIndex(of: ":")
        else { return Credentials.unauthorized }
        let isRight = isRight(String(pair[..<colon]), String(pair[pair.index(after: colon)...]))
        return isRight ? nil : Credentials.unauthorized
    }

    private func isRight(_ keyID: String, _ secret: String) -> Bool {
        guard !keyID.isEmpty, !secret.isEmpty else { return false }
        return (self.keyID == nil || self.keyID == keyID) && (self.secret == nil || self.secret == secret)
    }

    private static var unauthorized: HTTPAnswer {
        var answer = HTTPAnswer.json(401, ["message": "unauthorized."])
        answer.headers = [("WWW-Authenticate", "Bearer, Basic realm=\"alpaca.markets\"")]
        return answer
    }
}
