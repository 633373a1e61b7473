import CLinux

/// What waits in the kernel at one end of a connection, in bytes.
enum SocketQueues {
    /// What came and was not read yet; nil for what is no connection.
    static func unread(_ descriptor: Int32) -> Int64? {
        var count: Int32 = 0
        return clinux_unread(descriptor, &count) == 0 ? Int64(count) : nil
    }

    /// What was written and not taken by the peer yet; nil for what is no connection.
    static func unsent(_ descriptor: Int32) -> Int64? {
        var count: Int32 = 0
        return clinux_unsent(descriptor, &count) == 0 ? Int64(count) : nil
    }
}
