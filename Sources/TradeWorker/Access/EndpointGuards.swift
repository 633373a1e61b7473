import Glibc
import HostSystem
import ZeroMQMessaging

/// How the worker's endpoints are guarded: by keys, by the users of this machine, or by being for this user only.
struct EndpointGuards {
    private let secretKey: String?
    private let hasUsers: Bool

    /// Reads the worker's own key.
    init(_ access: AccessSettings) throws(KeyFileProblem) {
        secretKey = try access.keys.map { keys throws(KeyFileProblem) in try KeyFile.secret(keys.serverKey) }?.secretKey
        hasUsers = !access.ipcUsers.isEmpty
    }

    func socketGuard(_ endpoint: String) -> SocketGuard {
        if let secretKey { return .curve(secretKey: secretKey) }
        return hasUsers && EndpointGuards.path(of: endpoint) != nil ? .handshake : .open
    }

    /// Makes the directories of `ipc://` endpoints, for this user only. In one that is there already, nobody else may be
    /// able to put another socket in the place of ours: ZeroMQ binds over a name without a word.
    func prepare(_ configuration: Configuration) throws {
        for path in EndpointGuards.paths(of: configuration) {
            guard let slash = path.lastIndex(of: "/") else { continue }
            let directory = slash == path.startIndex ? "/" : String(path[..<slash])
            try Files.makeDirectory(directory)
            if let open = try Files.directoryThatOthersCanChange(above: path) {
                throw KeyFileProblem(
                    "others could put a socket of their own at \(path), since they can write in \(open); "
                        + "take a directory that only you can write")
            }
        }
    }

    /// Lets the users of the list reach the sockets; each is asked for by the kernel's word when it connects.
    func open(_ configuration: Configuration) throws(SystemError) {
        guard hasUsers else { return }
        for path in EndpointGuards.paths(of: configuration) { try Files.setMode(0o666, of: path) }
    }

    private static func paths(of configuration: Configuration) -> [String] {
        [configuration.intake, configuration.outcomes, configuration.pullIntake].compactMap { $0 }
            .compactMap(path(of:))
    }

    private static func path(of endpoint: String) -> String? {
        endpoint.hasPrefix("ipc://") ? String(endpoint.dropFirst("ipc://".count)) : nil
    }
}
