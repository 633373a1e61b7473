/// Who may connect to the worker.
package struct AccessSettings: Equatable, Sendable {
    /// The files behind guarded endpoints; nil where endpoints are for this machine only.
    package var keys: KeyPaths?
    /// The users that may connect to `ipc://` endpoints; empty for the worker's own alone.
    package var ipcUsers: Set<UInt32> = []

    package struct KeyPaths: Equatable, Sendable {
        /// The file with the worker's own secret key.
        package var serverKey: String
        /// The list of those that are let in.
        package var allowedKeys: String
    }

    /// Whether somebody is asked who it is that connects.
    package var asksWhoConnects: Bool { keys != nil || !ipcUsers.isEmpty }

    init(_ source: SettingSource) throws(Configuration.Problem) {
        switch (source.text(.serverKey), source.text(.allowedKeys)) {
        case (nil, nil): keys = nil
        case (let serverKey?, let allowedKeys?):
            keys = KeyPaths(serverKey: serverKey, allowedKeys: allowedKeys)
        case (nil, _?):
            throw source.problem(.allowedKeys, "needs server_key too: the worker's own key, from `keys generate`")
        case (_?, nil):
            throw source.problem(.serverKey, "needs allowed_keys too: without a list any key would be let in")
        }
        for text in source.text(.ipcUsers)?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
            guard let user = UInt32(text) else {
                throw source.problem(.ipcUsers, "must be user ids with commas between, such as 1000,1001")
            }
            ipcUsers.insert(user)
        }
    }
}
