import Glibc
import HostSystem
import KeyFiles
import ZeroMQMessaging

/// How the worker's endpoints are guarded: by keys, by the users of this machine, or by being for this user only.
struct EndpointGuards {
    private let secretKey: String?
    private let hasUsers: Bool
    /// Where the sockets of `ipc://` endpoints are.
    private let paths: [String]

    /// Reads the worker's own key.
    init(_ configuration: Configuration) throws(KeyFileProblem) {
        let access = configuration.access
        secretKey = try access.keys.map { keys throws(KeyFileProblem) in try KeyFile.secret(keys.serverKey) }?.secretKey
        hasUsers = !access.ipcUsers.isEmpty
        paths = [configuration.intake, configuration.outcomes, configuration.pullIntake].compactMap { $0 }
            .compactMap(EndpointGuards.path(of:))
    }

    func socketGuard(_ endpoint: String) -> SocketGuard {
        if let secretKey { return .curve(secretKey: secretKey) }
        return hasUsers && EndpointGuards.path(of: endpoint) != nil ? .handshake : .open
    }

    /// Makes the directories of `ipc://` endpoints, for this user only. In one that is there already, nobody else may be
    /// able to put another socket in the place of ours: ZeroMQ binds over a name without a word.
    func prepare() throws {
        for path in paths {
            guard let slash = path.lastIndex(of: "/") else { continue }
            try Files.makeDirectory(slash == path.startIndex ? "/" : String(path[..<slash]))
            if let open = try Files.directoryThatOthersCanChange(above: path) {
                throw KeyFileProblem(
                    "others could put a socket of their own at \(path), since they can write in \(open); "
                        + "take a directory that only you can write")
            }
        }
    }

    /// Lets the users of the list reach the sockets, whenever one was bound; each is asked for by the kernel's word when
    /// it connects.
    func open() throws(SystemError) {
        guard hasUsers else { return }
        for path in paths { try Files.setMode(0o666, of: path) }
    }

    private static func path(of endpoint: String) -> String? {
        endpoint.hasPrefix("ipc://") ? String(endpoint.dropFirst("ipc://".count)) : nil
    }
}
