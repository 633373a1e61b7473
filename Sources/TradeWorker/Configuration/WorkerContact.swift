/// How a client speaks to a worker: where it is, and by which keys.
package struct WorkerContact: Sendable {
    package let intake: String
    package let outcomes: String
    /// The files of the keys; nil for a worker whose endpoints are for this machine only.
    package let keys: Keys?

    package struct Keys: Sendable {
        /// The file with the client's own secret key.
        package let own: String
        /// The worker's public key, or a file with it.
        package let server: String
    }

    /// Reads the settings from the same layers as `Configuration`.
    package init(
        flags: [Setting: String], environment: [String: String], file: ConfigurationFile?
    ) throws(Configuration.Problem) {
        try self.init(SettingSource(flags: flags, environment: environment, file: file))
    }

    init(_ source: SettingSource) throws(Configuration.Problem) {
        switch (source.text(.clientKey), source.text(.serverPublicKey) ?? source.text(.serverKey)) {
        case (let own?, let server?): keys = Keys(own: own, server: server)
        case (nil, _?) where source.text(.serverPublicKey) != nil || source.text(.allowedKeys) != nil:
            throw Configuration.Problem(
                "this worker takes known keys only: say --client-key FILE, the file that ends in .key_secret")
        case (_?, nil): throw source.problem(.clientKey, "needs server_public_key too: the worker's, to know it by")
        case (nil, _): keys = nil
        }
        intake = WorkerContact.reachable(try source.endpoint(.intake, isGuarded: keys != nil, by: WorkerContact.guards))
        outcomes = WorkerContact.reachable(
            try source.endpoint(.outcomes, isGuarded: keys != nil, by: WorkerContact.guards))
    }

    private static let guards = "--client-key and --server-public-key"

    /// Where a worker is reached that listens on all addresses of this machine.
    private static func reachable(_ endpoint: String) -> String {
        for everywhere in ["tcp://*:", "tcp://0.0.0.0:", "tcp://[::]:"] where endpoint.hasPrefix(everywhere) {
            return "tcp://127.0.0.1:" + endpoint.dropFirst(everywhere.count)
        }
        return endpoint
    }
}
