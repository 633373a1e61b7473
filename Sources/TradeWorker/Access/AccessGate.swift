import Glibc
import HostSystem
package import Logging
import TradingCore
package import ZeroMQMessaging

/// Decides who may connect and what a connected sender may ask for, by the key list as it is now.
package final class AccessGate {
    private let handshakes: HandshakeSocket?
    private let keys: WatchedFile<KeyList>?
    private let users: Set<UInt32>
    private let log: Logger
    /// The keys that subscribe to outcomes, or did since all were cut off last.
    private var subscribers: Set<CurveKey> = []
    /// Whether a subscriber is connected that may not read any more.
    private(set) package var mustCutOffSubscribers = false
    private var strangers = StrangerLog()
    /// When the key list came into force that is not on record yet; nil where it is.
    private var changedAt: Timestamp?

    package enum Problem: Error, CustomStringConvertible {
        case keyList(String)
        case socket(ZeroMQError)

        package var description: String {
            switch self {
            case .keyList(let text): text
            case .socket(let error): "\(error)"
            }
        }
    }

    /// - Throws: Where the key list cannot be read, or makes no sense.
    package init(_ access: AccessSettings, in context: ZeroMQContext, log: Logger) throws(Problem) {
        self.log = log
        users = access.ipcUsers.isEmpty ? [] : access.ipcUsers.union([geteuid()])
        do {
            keys = try access.keys.map { try KeyListFile.watch($0.allowedKeys) }
        } catch {
            throw .keyList("\(error)")
        }
        do throws(ZeroMQError) {
            handshakes = access.asksWhoConnects ? try HandshakeSocket(in: context) : nil
        } catch {
            throw .socket(error)
        }
    }

    /// What to wait on.
    package func descriptors() throws(ZeroMQError) -> [Int32] {
        guard let handshakes else { return [] }
        return [try handshakes.descriptor()]
    }

    // MARK: Connecting

    /// Answers those that want to connect.
    package func answerHandshakes() throws(ZeroMQError) {
        guard let handshakes else { return }
        refresh()
        while let request = try handshakes.receive() {
            switch request.credential {
            case .none: try answer(request, handshakes, isUser: AccessGate.user(of: request.address))
            case .curve(let text):
                guard let key = CurveKey(text) else { preconditionFailure("ZeroMQ's keys are in Z85") }
                try answer(request, handshakes, key: key)
            }
        }
    }

    private func answer(
        _ request: HandshakeSocket.Request, _ handshakes: HandshakeSocket, isUser user: UInt32?
    ) throws(ZeroMQError) {
        guard let user, users.contains(user) else { return try refuseUser(request, handshakes) }
        try handshakes.allow(request, userID: "")
    }

    private func refuseUser(
        _ request: HandshakeSocket.Request, _ handshakes: HandshakeSocket
    ) throws(ZeroMQError) {
        logStranger("a user at \(request.address) (UID:GID:PID) turned away; see --ipc-users")
        try handshakes.refuse(request, "this user is not allowed")
    }

    private func answer(
        _ request: HandshakeSocket.Request, _ handshakes: HandshakeSocket, key: CurveKey
    ) throws(ZeroMQError) {
        guard let allowed = keys?.meaning[key] else {
            logStranger(
                "a stranger at \(request.address) turned away; to let it in: "
                    + "trade-executor keys allow NAME --public-key='\(key.text)'")
            return try handshakes.refuse(request, "this key is not in the list")
        }
        if !users.isEmpty, let user = AccessGate.user(of: request.address), !users.contains(user) {
            return try refuseUser(request, handshakes)
        }
        switch request.domain {
        case .intake: break
        case .outcomes:
            guard allowed.roles.contains(.read) else {
                logStranger(
                    "the key \(allowed.name) at \(request.address) may not read outcomes; it lacks the role read")
                return try handshakes.refuse(request, "this key may not read")
            }
            subscribers.insert(key)
        }
        log.info("the key \(allowed.name) connected to \(request.domain.rawValue) from \(request.address)")
        // The key, not its name: a name can pass to another key while this one is connected.
        try handshakes.allow(request, userID: key.text)
    }

    private func logStranger(_ text: String) {
        for line in strangers.lines(for: text, at: SystemClock().monotonic()) { log.warning("\(line)") }
    }

    /// The user that the kernel names at the other end of an `ipc://` connection: `localhost:UID:GID:PID`.
    static func user(of address: String) -> UInt32? {
        let parts = address.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "localhost" else { return nil }
        return UInt32(parts[1])
    }

    // MARK: Asking

    /// What the sender of a message may ask for now, and what to call it in the records.
    func rights(address: String?, userID: String?) -> (rights: Rights, sender: String?) {
        guard let keys else { return (.unlimited, address) }
        refresh()
        let key = userID.flatMap(CurveKey.init)
        let allowed = key.flatMap { keys.meaning[$0] }
        let name = allowed.map { "\($0.name)" } ?? "?"
        let sender = "\(name)@\(address ?? "?") key \(key?.text ?? "none")"
        return (allowed.map(Rights.key) ?? .none, sender)
    }

    /// Takes up a changed key list.
    package func refresh() {
        guard let keys else { return }
        switch keys.look() {
        case .unchanged: return
        case .broken(let problem):
            log.error("the key list stays as it was; the new one cannot be taken: \(problem)")
        case .changed:
            log.notice("the key list has changed: \(keys.meaning.keys.count) keys")
            changedAt = SystemClock().now()
            mustCutOffSubscribers =
                mustCutOffSubscribers
                || subscribers.contains { !(keys.meaning[$0]?.roles.contains(.read) ?? false) }
        }
    }

    /// The key list in force; nil where there is none.
    var keyList: [UInt8]? { keys?.content }

    /// A key list that is to be put on record, and since when it is in force.
    var newKeyList: (content: [UInt8], since: Timestamp)? {
        guard let keys, let changedAt else { return nil }
        return (keys.content, changedAt)
    }

    /// The list is on record.
    func keyListIsKept() { changedAt = nil }

    /// All subscribers have been cut off; those that come back are asked anew.
    package func subscribersCutOff() {
        log.notice("subscribers were cut off, since one of them may not read any more; the others come back")
        subscribers = []
        mustCutOffSubscribers = false
    }
}
